//! `#[derive(Item)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Fields, ItemEnum, ItemStruct};

pub(crate) fn expand(input: TokenStream) -> syn::Result<TokenStream> {
    if let Ok(input) = syn::parse2::<ItemEnum>(input.clone()) {
        return expand_enum(&input);
    }
    // A union ends here with syn's "expected `struct`".
    let input: ItemStruct = syn::parse2(input)?;
    let Fields::Named(fields) = &input.fields else {
        return Err(syn::Error::new_spanned(
            &input.ident,
            "an Item needs named fields",
        ));
    };
    if !input.generics.params.is_empty() {
        return Err(syn::Error::new_spanned(
            &input.generics,
            "an Item cannot be generic",
        ));
    }
    let name = &input.ident;
    let names: Vec<_> = fields.named.iter().map(|field| &field.ident).collect();
    let count = names.len();
    let into = quote! {
        ::neo_framework::Item::structure(::std::vec![
            #(::neo_framework::convert::IntoItem::into_item(self.#names)),*
        ])
    };
    let from = quote! {
        #[allow(unused_mut, unused_variables)]
        let mut fields = ::neo_framework::convert::fields(item, #count)?.into_iter();
        ::core::result::Result::Ok(#name {
            #(#names: ::neo_framework::convert::FromItem::from_item(
                fields.next().unwrap_or(::neo_framework::Item::Null),
            )?),*
        })
    };
    Ok(conversions(name, "Array", &into, &from))
}

/// An Integer, or a Struct of the variant's position and its values, if any variant has some.
fn expand_enum(input: &ItemEnum) -> syn::Result<TokenStream> {
    if !input.generics.params.is_empty() {
        return Err(syn::Error::new_spanned(
            &input.generics,
            "an Item cannot be generic",
        ));
    }
    let name = &input.ident;
    if input.variants.iter().all(|v| v.fields.is_empty()) {
        let variants: Vec<_> = input.variants.iter().map(|v| &v.ident).collect();
        let into = quote!(::neo_framework::Item::integer(self as i64));
        let from = quote! {
            let number = item.to_integer()?;
            #(if number == #name::#variants as i64 {
                return ::core::result::Result::Ok(#name::#variants);
            })*
            ::core::result::Result::Err(::neo_framework::convert::Mismatch::new("a variant", &item))
        };
        return Ok(conversions(name, "Integer", &into, &from));
    }
    let (mut into, mut from) = (Vec::new(), Vec::new());
    for (position, variant) in input.variants.iter().enumerate() {
        let (ident, count) = (&variant.ident, variant.fields.len() + 1);
        let tag = position as i64;
        let values: Vec<_> = (0..variant.fields.len())
            .map(|n| quote::format_ident!("value_{n}"))
            .collect();
        let members: Vec<_> = variant.fields.members().collect();
        into.push(quote! {
            #name::#ident { #(#members: #values),* } => ::neo_framework::Item::structure(::std::vec![
                ::neo_framework::Item::integer(#tag),
                #(::neo_framework::convert::IntoItem::into_item(#values)),*
            ]),
        });
        from.push(quote! {
            if tag == #tag {
                #[allow(unused_mut, unused_variables)]
                let mut fields = ::neo_framework::convert::fields(item, #count)?.into_iter().skip(1);
                return ::core::result::Result::Ok(#name::#ident {
                    #(#members: ::neo_framework::convert::FromItem::from_item(
                        fields.next().unwrap_or(::neo_framework::Item::Null),
                    )?),*
                });
            }
        });
    }
    let into = quote!(match self { #(#into)* });
    let from = quote! {
        let first = ::neo_framework::convert::fields(item.clone(), 1)?.remove(0);
        let tag = first.to_integer()?;
        #(#from)*
        ::core::result::Result::Err(::neo_framework::convert::Mismatch::new("a variant", &item))
    };
    Ok(conversions(name, "Array", &into, &from))
}

/// The traits by which values of the type go to items and back.
fn conversions(
    name: &syn::Ident,
    kind: &str,
    into: &TokenStream,
    from: &TokenStream,
) -> TokenStream {
    quote! {
        impl ::neo_framework::convert::ItemType for #name {
            const TYPE: &'static str = #kind;
        }
        impl ::neo_framework::convert::IntoItem for #name {
            fn into_item(self) -> ::neo_framework::Item {
                #into
            }
        }
        impl ::neo_framework::convert::FromItem for #name {
            fn from_item(item: ::neo_framework::Item)
                -> ::core::result::Result<Self, ::neo_framework::convert::Mismatch>
            {
                #from
            }
        }
        impl ::core::convert::From<#name> for ::neo_framework::Any {
            fn from(value: #name) -> Self {
                ::neo_framework::Any::of(::neo_framework::convert::IntoItem::into_item(value))
            }
        }
    }
}
