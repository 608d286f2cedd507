//! `#[contract]` and the `#[method]`s inside.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::Parser;
use syn::{
    Attribute, Item, ItemFn, ItemMod, LitStr, ReturnType, Token, Visibility, punctuated::Punctuated,
};

use crate::names::{camel_case, parameter};

/// The arguments of `#[contract]`.
#[derive(Default)]
struct Options {
    name: String,
    standards: Vec<String>,
    source: String,
    may_call_all: bool,
}

/// The arguments of `#[method]`.
struct Export {
    name: String,
    safe: bool,
}

pub(crate) fn expand(arguments: TokenStream, module: TokenStream) -> syn::Result<TokenStream> {
    let mut module: ItemMod = syn::parse2(module)?;
    let options = options(arguments, &module)?;
    let Some((_, items)) = &mut module.content else {
        return Err(syn::Error::new_spanned(
            &module,
            "a #[contract] module must be inline: mod methods { .. }",
        ));
    };
    let mut arms = Vec::new();
    let mut infos = Vec::new();
    let mut seen = BTreeSet::new();
    for item in items.iter_mut() {
        let Item::Fn(function) = item else { continue };
        let Some(export) = take_export(function)? else {
            continue;
        };
        if !seen.insert((export.name.clone(), function.sig.inputs.len())) {
            let message = format!(
                "{} with {} parameters is already exported",
                export.name,
                function.sig.inputs.len()
            );
            return Err(syn::Error::new_spanned(&function.sig, message));
        }
        arms.push(arm(&export, function)?);
        infos.push(info(&export, function)?);
    }
    let Options {
        name,
        standards,
        source,
        may_call_all,
    } = options;
    items.push(syn::parse_quote! {
        /// The exported methods.
        pub const METHODS: &[::neo_framework::MethodInfo] = &[#(#infos),*];
    });
    items.push(syn::parse_quote! {
        /// The contract, ready for a native chain.
        pub const CONTRACT: ::neo_framework::ContractInfo = ::neo_framework::ContractInfo {
            name: #name,
            standards: &[#(#standards),*],
            source: #source,
            may_call_all: #may_call_all,
            methods: METHODS,
            dispatch,
        };
    });
    items.push(syn::parse_quote! {
        /// Runs the method of that exported name and argument count; coerces
        /// the arguments as compiled code does; a panic is a fault.
        pub fn dispatch(
            method: &str,
            arguments: ::std::vec::Vec<::neo_framework::Item>,
        ) -> ::neo_framework::Item {
            let count = arguments.len();
            #[allow(unused_mut, unused_variables)]
            let mut arguments = arguments.into_iter();
            match (method, count) {
                #(#arms)*
                _ => ::neo_framework::fault(::std::format!("method not found: {method}/{count}")),
            }
        }
    });
    Ok(quote!(#module))
}

fn options(arguments: TokenStream, module: &ItemMod) -> syn::Result<Options> {
    let mut options = Options::default();
    let parser = syn::meta::parser(|meta| {
        if meta.path.is_ident("name") {
            options.name = meta.value()?.parse::<LitStr>()?.value();
        } else if meta.path.is_ident("source") {
            options.source = meta.value()?.parse::<LitStr>()?.value();
        } else if meta.path.is_ident("standards") {
            let value = meta.value()?;
            let list;
            syn::bracketed!(list in value);
            let names = Punctuated::<LitStr, Token![,]>::parse_terminated(&list)?;
            options.standards = names.iter().map(LitStr::value).collect();
        } else if meta.path.is_ident("permissions") {
            let value: LitStr = meta.value()?.parse()?;
            if value.value() != "*" {
                return Err(syn::Error::new(
                    value.span(),
                    "permissions are \"*\" or left out",
                ));
            }
            options.may_call_all = true;
        } else {
            return Err(meta.error("expected name, standards, permissions or source"));
        }
        Ok(())
    });
    parser.parse2(arguments)?;
    if options.name.is_empty() {
        return Err(syn::Error::new_spanned(
            &module.ident,
            "a contract needs a name: #[contract(name = \"..\")]",
        ));
    }
    Ok(options)
}

/// Takes `#[method]` off the function.
fn take_export(function: &mut ItemFn) -> syn::Result<Option<Export>> {
    let is_method = |attribute: &Attribute| {
        attribute
            .path()
            .segments
            .last()
            .is_some_and(|segment| segment.ident == "method")
    };
    let Some(at) = function.attrs.iter().position(is_method) else {
        return Ok(None);
    };
    let attribute = function.attrs.remove(at);
    if !matches!(function.vis, Visibility::Public(_)) {
        return Err(syn::Error::new_spanned(
            &function.sig,
            "an exported method must be pub",
        ));
    }
    let mut export = Export {
        name: camel_case(&function.sig.ident.to_string()),
        safe: false,
    };
    if matches!(attribute.meta, syn::Meta::List(_)) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("safe") {
                export.safe = true;
                Ok(())
            } else if meta.path.is_ident("name") {
                export.name = meta.value()?.parse::<LitStr>()?.value();
                Ok(())
            } else {
                Err(meta.error("expected safe or name = \"..\""))
            }
        })?;
    }
    Ok(Some(export))
}

fn arm(export: &Export, function: &ItemFn) -> syn::Result<TokenStream> {
    // `self::` because a local of dispatch may have the name of a method.
    let (name, count, method) = (&export.name, function.sig.inputs.len(), &function.sig.ident);
    let mut lets = Vec::new();
    let mut values = Vec::new();
    for (at, argument) in function.sig.inputs.iter().enumerate() {
        let (parameter, kind) = parameter(argument)?;
        let shown = camel_case(&parameter.to_string());
        let value = quote::format_ident!("argument_{at}");
        lets.push(quote! {
            let #value: #kind = ::neo_framework::convert::argument(
                arguments.next().unwrap_or(::neo_framework::Item::Null),
                #shown,
            );
        });
        values.push(value);
    }
    Ok(quote! {
        (#name, #count) => {
            #(#lets)*
            ::neo_framework::convert::IntoItem::into_item(self::#method(#(#values),*))
        }
    })
}

fn info(export: &Export, function: &ItemFn) -> syn::Result<TokenStream> {
    let (name, safe) = (&export.name, export.safe);
    let mut parameters = Vec::new();
    for argument in &function.sig.inputs {
        let (parameter, kind) = parameter(argument)?;
        let shown = camel_case(&parameter.to_string());
        parameters.push(quote!((#shown, <#kind as ::neo_framework::convert::ItemType>::TYPE)));
    }
    let result = match &function.sig.output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, kind) => quote!(#kind),
    };
    Ok(quote! {
        ::neo_framework::MethodInfo {
            name: #name,
            parameters: &[#(#parameters),*],
            return_type: <#result as ::neo_framework::convert::ItemType>::TYPE,
            safe: #safe,
        }
    })
}
