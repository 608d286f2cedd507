//! Attributes of `neo-framework`: what they mean when rustc builds a contract
//! natively. The contract compiler has its own reading of the same attributes.
//!
//! * `#[contract(name = "..", standards = [".."], permissions = "*", source = "..")]`
//!   on the inline module of exported methods adds `dispatch`, `METHODS` and
//!   `CONTRACT` to it.
//! * `#[method]`, `#[method(safe, name = "..")]` marks its exported functions.
//! * `#[event(name = "..")]` gives an empty function the body that notifies.
//! * `#[derive(Item)]` makes a struct with named fields a NeoVM Struct.

mod contract;
mod event;
mod item;
mod names;

use proc_macro::TokenStream;

/// Marks the module of a contract's exported methods.
#[proc_macro_attribute]
pub fn contract(arguments: TokenStream, module: TokenStream) -> TokenStream {
    finish(contract::expand(arguments.into(), module.into()))
}

/// Marks an exported method; only inside of a `#[contract]` module.
#[proc_macro_attribute]
pub fn method(_arguments: TokenStream, function: TokenStream) -> TokenStream {
    let span = proc_macro2::Span::call_site();
    let error = syn::Error::new(
        span,
        "#[method] belongs on a function of a module with #[contract]",
    )
    .to_compile_error();
    let function = proc_macro2::TokenStream::from(function);
    quote::quote!(#error #function).into()
}

/// Makes an empty function emit an event with its parameters.
#[proc_macro_attribute]
pub fn event(arguments: TokenStream, function: TokenStream) -> TokenStream {
    finish(event::expand(arguments.into(), function.into()))
}

/// Makes a struct a stack item: a NeoVM Struct of its fields in order.
#[proc_macro_derive(Item)]
pub fn item(input: TokenStream) -> TokenStream {
    finish(item::expand(input.into()))
}

fn finish(result: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    result
        .unwrap_or_else(|error| error.to_compile_error())
        .into()
}
