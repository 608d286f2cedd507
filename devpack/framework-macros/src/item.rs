//! `#[derive(Item)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Fields, ItemStruct};

pub(crate) fn expand(input: TokenStream) -> syn::Result<TokenStream> {
    // An enum or union ends here with syn's "expected `struct`".
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
    Ok(quote! {
        impl ::neo_framework::convert::ItemType for #name {
            const TYPE: &'static str = "Array";
        }
        impl ::neo_framework::convert::IntoItem for #name {
            fn into_item(self) -> ::neo_framework::Item {
                ::neo_framework::Item::structure(::std::vec![
                    #(::neo_framework::convert::IntoItem::into_item(self.#names)),*
                ])
            }
        }
        impl ::neo_framework::convert::FromItem for #name {
            fn from_item(item: ::neo_framework::Item)
                -> ::core::result::Result<Self, ::neo_framework::convert::Mismatch>
            {
                #[allow(unused_mut, unused_variables)]
                let mut fields = ::neo_framework::convert::fields(item, #count)?.into_iter();
                ::core::result::Result::Ok(#name {
                    #(#names: ::neo_framework::convert::FromItem::from_item(
                        fields.next().unwrap_or(::neo_framework::Item::Null),
                    )?),*
                })
            }
        }
        impl ::core::convert::From<#name> for ::neo_framework::Any {
            fn from(value: #name) -> Self {
                ::neo_framework::Any::of(::neo_framework::convert::IntoItem::into_item(value))
            }
        }
    })
}
