//! `#[event]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{ItemFn, LitStr, ReturnType};

use crate::names::{camel_case, parameter};

/// Longest event name in bytes.
const MAX_NAME_BYTES: usize = 32;

pub(crate) fn expand(arguments: TokenStream, function: TokenStream) -> syn::Result<TokenStream> {
    let function: ItemFn = syn::parse2(function)?;
    let name = name_of(arguments, &function)?;
    if !function.block.stmts.is_empty() {
        return Err(syn::Error::new_spanned(
            &function.block,
            "an event's body is filled in: leave it empty",
        ));
    }
    if let ReturnType::Type(_, result) = &function.sig.output {
        return Err(syn::Error::new_spanned(result, "an event returns nothing"));
    }
    let mut values = Vec::new();
    for argument in &function.sig.inputs {
        let (value, _) = parameter(argument)?;
        values.push(quote!(::neo_framework::convert::IntoItem::into_item(#value)));
    }
    let (attributes, visibility, signature) = (&function.attrs, &function.vis, &function.sig);
    Ok(quote! {
        #(#attributes)*
        #[track_caller]
        #visibility #signature {
            ::neo_framework::runtime::notify(#name, ::std::vec![#(#values),*]);
        }
    })
}

fn name_of(arguments: TokenStream, function: &ItemFn) -> syn::Result<String> {
    let mut name = None;
    let parser = syn::meta::parser(|meta| {
        if meta.path.is_ident("name") {
            name = Some(meta.value()?.parse::<LitStr>()?);
            Ok(())
        } else {
            Err(meta.error("expected name = \"..\""))
        }
    });
    syn::parse::Parser::parse2(parser, arguments)?;
    let span = name
        .as_ref()
        .map_or_else(|| function.sig.ident.span(), LitStr::span);
    let name = name.map_or_else(
        || camel_case(&function.sig.ident.to_string()),
        |name| name.value(),
    );
    if name.is_empty() || name.len() > MAX_NAME_BYTES {
        return Err(syn::Error::new(
            span,
            format!("an event's name has 1 to {MAX_NAME_BYTES} bytes"),
        ));
    }
    Ok(name)
}
