//! One program: its types, its functions, the exported method, its arguments.

use num_bigint::BigInt;

use super::program::{Function, Hold, Param, Program, Ty, Value};
use super::writer::Writer;
use crate::torture::random::Random;

/// Times that each program's method is called.
const CALLS: usize = 4;

/// The parameter that counts a function's calls of itself down: nothing else gets its name.
pub(super) const FUEL: &str = "fuel";

/// The program `index` of a seed.
pub(super) fn program(seed: u64, index: usize) -> Program {
    let mut w = Writer::new(Random::of_case(seed, index), index);
    types(&mut w);
    for _ in 0..w.random.below(4) {
        function(&mut w);
    }
    let (method, parameters) = exported(&mut w);
    let calls = (0..CALLS)
        .map(|_| {
            parameters
                .iter()
                .map(|ty| argument(&mut w.random, ty))
                .collect()
        })
        .collect();
    Program {
        index,
        method,
        lines: w.lines,
        statements: w.statements,
        calls,
    }
}

fn types(w: &mut Writer) {
    let prefix = w.prefix.clone();
    let number = w.random.pick(&[0, 1, 5, 255, 1000, -3]);
    w.line(format!("const C{prefix}: Int = int({number});"));
    w.line(format!("const K{prefix}: i64 = {number} + 10;"));
    w.variants = 2 + w.random.below(3);
    let variants: Vec<_> = (0..w.variants).map(|at| format!("V{at}")).collect();
    w.line("#[derive(Clone, Copy, PartialEq, Eq)]");
    w.line(format!("enum E{prefix} {{ {} }}", variants.join(", ")));
    for at in 0..2 {
        let mut fields = vec![("a".to_owned(), Ty::Int)];
        for name in ["b", "c"] {
            let ty = match w.random.below(6) {
                0 if at == 1 => Ty::array(Ty::Int),
                1 | 2 if at == 1 => Ty::Struct(0),
                3 => Ty::option(Ty::Int),
                _ => w.random.pick(&[Ty::Int, Ty::Bool, Ty::Bytes, Ty::Text]),
            };
            fields.push((name.to_owned(), ty));
        }
        let written: Vec<_> = fields
            .iter()
            .map(|(name, ty)| format!("pub {name}: {}", w.type_name(ty)))
            .collect();
        w.line("#[derive(Clone, Item)]");
        w.line(format!(
            "pub struct S{prefix}x{at} {{ {} }}",
            written.join(", ")
        ));
        w.structs.push(fields);
    }
}

fn function(w: &mut Writer) {
    let name = format!("f{}x{}", w.prefix, w.functions.len());
    let recursive = w.random.one_in(6);
    let mut params = Vec::new();
    if recursive {
        params.push(Param {
            ty: Ty::Int,
            hold: Hold::Own,
        });
    }
    for _ in 0..w.random.below(4) {
        let ty = if w.random.one_in(6) {
            w.map_type()
        } else {
            w.any_type()
        };
        let hold = match w.random.below(3) {
            0 if ty.is_shared() => Hold::RefMut,
            1 if !ty.is_copy() => Hold::Ref,
            _ if matches!(ty, Ty::Map(..)) => Hold::Ref,
            _ => Hold::Own,
        };
        params.push(Param { ty, hold });
    }
    let result = (!w.random.one_in(6)).then(|| w.any_type());
    let function = Function {
        name,
        params,
        result,
        recursive,
    };
    let named = |at| match at {
        0 if recursive => FUEL.to_owned(),
        _ => format!("a{at}"),
    };
    let names: Vec<_> = (0..function.params.len()).map(named).collect();
    let written: Vec<_> = function
        .params
        .iter()
        .zip(&names)
        .map(|(param, name)| {
            let hold = match param.hold {
                Hold::Own => "",
                Hold::Ref => "&",
                Hold::RefMut => "&mut ",
            };
            format!("{name}: {hold}{}", w.type_name(&param.ty))
        })
        .collect();
    let gives = match &function.result {
        Some(ty) => format!(" -> {}", w.type_name(ty)),
        None => String::new(),
    };
    w.line(format!(
        "fn {}({}){gives} {{",
        function.name,
        written.join(", ")
    ));
    w.fresh_function(function.result.clone());
    w.scope(|w| {
        for (param, name) in function.params.iter().zip(&names) {
            w.declare(name, param.ty.clone(), false, param.hold);
        }
        if recursive {
            let text = w.return_text(1);
            w.line(format!("if {FUEL} <= 0 {{ {text} }}"));
        }
        let count = 1 + w.random.below(4);
        w.statements(count, 1);
        if recursive {
            recursion(w, &function);
        }
        if let Some(ty) = &function.result {
            let value = w.expr(ty, 3);
            w.line(value);
        }
    });
    w.line("}");
    w.functions.push(function);
}

/// The one place where a function calls itself, with less.
fn recursion(w: &mut Writer, function: &Function) {
    let Some(call) = w.call(function, 1) else {
        return;
    };
    // What stands for the first argument is replaced: it must become smaller.
    let (name, rest) = call.split_once('(').unwrap_or((&call, ")"));
    let mut open = 0;
    let end = rest.find(|c| {
        open += match c {
            '(' | '[' | '{' => 1,
            ')' | ']' | '}' => -1,
            _ => 0,
        };
        open < 0 || open == 0 && c == ','
    });
    let rest = end.and_then(|at| rest.get(at..)).unwrap_or(")");
    w.statement(|w| match &function.result {
        Some(ty) => {
            let held = w.name("v");
            w.line(format!(
                "let {held}: {} = {name}({FUEL} - 1{rest};",
                w.type_name(ty)
            ));
            w.declare(&held, ty.clone(), false, Hold::Own);
        }
        None => w.line(format!("{name}({FUEL} - 1{rest};")),
    });
}

/// The exported method; its name on the chain and its parameters.
fn exported(w: &mut Writer) -> (String, Vec<Ty>) {
    let types = [
        Ty::Int,
        Ty::Int,
        Ty::Bool,
        Ty::Bytes,
        Ty::Text,
        Ty::option(Ty::Int),
    ];
    let parameters: Vec<Ty> = (0..1 + w.random.below(4))
        .map(|_| w.random.pick(&types))
        .collect();
    let written: Vec<_> = parameters
        .iter()
        .enumerate()
        .map(|(at, ty)| format!("a{at}: {}", w.type_name(ty)))
        .collect();
    let name = w.prefix.clone();
    let result = match w.random.below(3) {
        0 => Some(w.any_type()).filter(|ty| *ty != Ty::Enum),
        _ => None,
    };
    // A list of everything is no type of the generator: such a method has no other way out.
    let gives = match &result {
        Some(ty) => w.type_name(ty),
        None => "Array<Any>".to_owned(),
    };
    w.line("#[method]");
    w.line(format!(
        "pub fn {name}({}) -> {gives} {{",
        written.join(", ")
    ));
    w.fresh_function(result.clone());
    w.lists_everything = result.is_none();
    w.scope(|w| {
        for (at, ty) in parameters.iter().enumerate() {
            w.declare(&format!("a{at}"), ty.clone(), false, Hold::Own);
        }
        let count = 4 + w.random.below(10);
        w.statements(count, 2);
        let value = match &result {
            Some(ty) => w.expr(ty, 3),
            None => everything(w),
        };
        w.line(value);
    });
    w.line("}");
    (name, parameters)
}

/// All that is still there, as a list.
fn everything(w: &mut Writer) -> String {
    let mut parts = Vec::new();
    for var in w.visible() {
        let name = &var.name;
        match &var.ty {
            Ty::Enum => parts.push(format!("int({name} as i64)")),
            Ty::Tuple(of) => {
                parts.extend((0..of.len()).map(|at| format!("{name}.{at}.clone()")));
            }
            Ty::Map(..) => {
                parts.push(format!("{name}.keys()"));
                parts.push(format!("{name}.values()"));
            }
            Ty::Int | Ty::Bool => parts.push(name.clone()),
            _ => parts.push(format!("{name}.clone()")),
        }
    }
    for key in ["a", "b"] {
        parts.push(format!("storage::get(&bytes(b\"{key}\"))"));
    }
    let parts: Vec<_> = parts
        .iter()
        .map(|part| format!("Any::from({part})"))
        .collect();
    format!("array![{}]", parts.join(", "))
}

fn argument(random: &mut Random, ty: &Ty) -> Value {
    match ty {
        Ty::Bool => Value::Bool(random.one_in(2)),
        Ty::Bytes => {
            let length = random.pick(&[0, 1, 2, 3, 5, 8, 20, 32, 33]);
            let mut bytes = random.bytes(length);
            if random.one_in(3) {
                bytes = b"hello".to_vec();
            }
            Value::Bytes(bytes)
        }
        Ty::Text => Value::Bytes(random.pick(&["", "a", "neo", "42", "-7", "hello"]).into()),
        Ty::Option(_) if random.one_in(3) => Value::Null,
        _ => Value::Int(number(random)),
    }
}

/// Mostly small, sometimes one of the ends of a range.
fn number(random: &mut Random) -> BigInt {
    let power = |n: u32| BigInt::from(2).pow(n);
    match random.below(14) {
        0 => power(255) - 1,
        1 => -power(255),
        2 => power(random.below(255) as u32),
        3 => -power(random.below(255) as u32),
        4 => power([7, 8, 15, 16, 31, 63, 127][random.below(7)]) - 1,
        5 => BigInt::from_signed_bytes_le(&random.bytes(32)),
        6 => BigInt::from(random.next_u64()),
        7 => BigInt::from(-1),
        8 => BigInt::from(0),
        n => BigInt::from(random.below(n * n) as u64),
    }
}
