//! Names: Rust's snake_case becomes the manifest's camelCase.

use syn::{FnArg, Ident, Pat, Type};

/// `balance_of` → `balanceOf`; leading underscores stay.
pub(crate) fn camel_case(name: &str) -> String {
    let name = name.strip_prefix("r#").unwrap_or(name);
    let body = name.trim_start_matches('_');
    let mut out = name[..name.len() - body.len()].to_string();
    let mut raise = false;
    for letter in body.chars() {
        if letter == '_' {
            raise = true;
        } else if raise {
            out.extend(letter.to_uppercase());
            raise = false;
        } else {
            out.push(letter);
        }
    }
    out
}

/// The name and type of a plain parameter.
pub(crate) fn parameter(argument: &FnArg) -> syn::Result<(&Ident, &Type)> {
    match argument {
        FnArg::Typed(typed) => match typed.pat.as_ref() {
            Pat::Ident(ident) => Ok((&ident.ident, &typed.ty)),
            other => Err(syn::Error::new_spanned(
                other,
                "a parameter must be a plain name",
            )),
        },
        FnArg::Receiver(receiver) => Err(syn::Error::new_spanned(
            receiver,
            "there is no self here: use a free function",
        )),
    }
}
