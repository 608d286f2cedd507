//! Functions written out where they are called. A call costs 512 units and its `INITSLOT` 64; written out, arguments
//! become locals of the caller, and the other passes remove most of those.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use neo_opcode::Op;

use super::look::size;
use crate::diagnostic::Loc;
use crate::ir::{Code, Ins, Label, Site};

/// Functions of at most so many bytes are written out wherever they are called. A call with its arguments takes about
/// ten bytes itself.
const SMALL: usize = 40;

/// Written-out functions may not bring a caller beyond so many slots.
const MOST_SLOTS: usize = 200;

/// Writes out every call of one function that is worth it; true if there was one. What is called nowhere any more is
/// removed. `clean` puts a function into its best form first, so that its size is known.
pub(super) fn run(
    codes: &mut Vec<Code>,
    exports: usize,
    labels: &Labels,
    clean: &dyn Fn(&mut Code),
) -> bool {
    let mut changed = false;
    // From the functions that call nothing up to those that nothing calls.
    for label in bottom_up(codes) {
        let Some(at) = codes.iter().position(|c| c.label == label) else {
            continue;
        };
        let mut grown = false;
        let callees: HashMap<Label, Code> = worth_it(codes, label);
        if !callees.is_empty()
            && let Some(code) = codes.get_mut(at)
        {
            grown = write_out(code, &callees, labels);
        }
        if grown {
            changed = true;
            clean(&mut codes[at]);
        }
        if changed {
            unreachable(codes, exports);
        }
    }
    changed
}

/// Functions that no exported method reaches.
pub(super) fn unreachable(codes: &mut Vec<Code>, exports: usize) -> bool {
    let mut seen: HashSet<Label> = HashSet::new();
    let mut open: Vec<Label> = codes.iter().take(exports).map(|c| c.label).collect();
    while let Some(label) = open.pop() {
        if seen.insert(label)
            && let Some(code) = codes.iter().find(|c| c.label == label)
        {
            open.extend(calls(code));
        }
    }
    let before = codes.len();
    codes.retain(|c| seen.contains(&c.label));
    before != codes.len()
}

fn calls(code: &Code) -> impl Iterator<Item = Label> + '_ {
    code.ins.iter().filter_map(|i| match i {
        Ins::Call(l) => Some(*l),
        _ => None,
    })
}

/// Callees before callers, as far as there is an order.
fn bottom_up(codes: &[Code]) -> Vec<Label> {
    fn visit(codes: &[Code], label: Label, seen: &mut HashSet<Label>, out: &mut Vec<Label>) {
        if seen.insert(label)
            && let Some(code) = codes.iter().find(|c| c.label == label)
        {
            for callee in calls(code) {
                visit(codes, callee, seen, out);
            }
            out.push(label);
        }
    }
    let (mut seen, mut out) = (HashSet::new(), Vec::new());
    for code in codes {
        visit(codes, code.label, &mut seen, &mut out);
    }
    out
}

/// The functions called by `caller` that are written out there.
fn worth_it(codes: &[Code], caller: Label) -> HashMap<Label, Code> {
    let Some(from) = codes.iter().find(|c| c.label == caller) else {
        return HashMap::new();
    };
    let mut out = HashMap::new();
    for label in calls(from).collect::<HashSet<_>>() {
        let Some(callee) = codes.iter().find(|c| c.label == label) else {
            continue;
        };
        let sites = codes
            .iter()
            .flat_map(calls)
            .filter(|called| *called == label)
            .count();
        let fits = sites == 1 || (size(&callee.ins) <= SMALL && !rarely_runs(callee));
        if fits && !reaches(codes, label, caller) && !reaches(codes, label, label) {
            out.insert(label, callee.clone());
        }
    }
    out
}

/// Conversions that run only when something comes in another type than it should.
fn rarely_runs(code: &Code) -> bool {
    code.name == "(helper) as_bytes"
}

/// Whether `from` calls `to`, itself or through others.
fn reaches(codes: &[Code], from: Label, to: Label) -> bool {
    let mut seen = HashSet::new();
    let mut open = vec![from];
    while let Some(label) = open.pop() {
        if let Some(code) = codes.iter().find(|c| c.label == label) {
            for callee in calls(code) {
                if callee == to {
                    return true;
                }
                if seen.insert(callee) {
                    open.push(callee);
                }
            }
        }
    }
    false
}

/// New labels.
pub(super) struct Labels(Cell<Label>);

impl Labels {
    pub(super) fn new(codes: &[Code]) -> Self {
        let inside = codes.iter().flat_map(|c| &c.ins).map(|i| match i {
            Ins::Label(l) | Ins::Jump(_, l) | Ins::Call(l) => *l,
            _ => 0,
        });
        let highest = inside.chain(codes.iter().map(|c| c.label)).max();
        Labels(Cell::new(highest.unwrap_or(0)))
    }

    pub(super) fn fresh(&self) -> Label {
        self.0.set(self.0.get() + 1);
        self.0.get()
    }
}

fn write_out(code: &mut Code, callees: &HashMap<Label, Code>, labels: &Labels) -> bool {
    let mut out = Vec::with_capacity(code.ins.len());
    let mut place: Option<(Loc, Option<Arc<Site>>)> = None;
    let mut changed = false;
    for ins in std::mem::take(&mut code.ins) {
        match &ins {
            Ins::Mark(loc) => place = Some((*loc, None)),
            Ins::Inlined(loc, site) => place = Some((*loc, Some(site.clone()))),
            _ => {}
        }
        let callee = match &ins {
            Ins::Call(label) => callees.get(label),
            _ => None,
        };
        let Some(callee) =
            callee.filter(|c| code.locals + c.locals + c.args + code.args <= MOST_SLOTS)
        else {
            out.push(ins);
            continue;
        };
        changed = true;
        let site = place.clone().map(|(call, outer)| {
            Arc::new(Site {
                function: callee.name.clone(),
                call,
                outer,
            })
        });
        body(&mut out, callee, code.locals, labels, site.as_ref());
        for v in &callee.variables {
            let mut v = v.clone();
            v.slot += code.locals + callee.args;
            code.variables.push(v);
        }
        for v in &callee.params {
            let mut v = v.clone();
            v.slot += code.locals;
            code.variables.push(v);
        }
        code.locals += callee.locals + callee.args;
        if let Some((loc, outer)) = &place {
            out.push(match outer {
                None => Ins::Mark(*loc),
                Some(site) => Ins::Inlined(*loc, site.clone()),
            });
        }
    }
    code.ins = out;
    changed
}

/// The callee's instructions; its arguments are on the stack, its slots begin at `base`.
fn body(out: &mut Vec<Ins>, callee: &Code, base: usize, labels: &Labels, site: Option<&Arc<Site>>) {
    let mut renamed: HashMap<Label, Label> = HashMap::new();
    let mut rename =
        |label: Label, labels: &Labels| *renamed.entry(label).or_insert_with(|| labels.fresh());
    let end = labels.fresh();
    out.extend((0..callee.args).map(|n| Ins::StLoc(base + n)));
    for ins in &callee.ins {
        out.push(match ins {
            Ins::LdArg(n) => Ins::LdLoc(base + n),
            Ins::StArg(n) => Ins::StLoc(base + n),
            Ins::LdLoc(n) => Ins::LdLoc(base + callee.args + n),
            Ins::StLoc(n) => Ins::StLoc(base + callee.args + n),
            Ins::Op(Op::RET) => Ins::Jump(Op::JMP, end),
            Ins::Jump(op, l) => Ins::Jump(*op, rename(*l, labels)),
            Ins::Label(l) => Ins::Label(rename(*l, labels)),
            Ins::Mark(loc) => match site {
                Some(site) => Ins::Inlined(*loc, site.clone()),
                None => Ins::Mark(*loc),
            },
            Ins::Inlined(loc, inner) => match site {
                Some(site) => Ins::Inlined(*loc, Arc::new(below(inner, site))),
                None => ins.clone(),
            },
            other => other.clone(),
        });
    }
    out.push(Ins::Label(end));
}

/// The same chain of calls with one more at its outer end.
fn below(inner: &Site, outer: &Arc<Site>) -> Site {
    Site {
        function: inner.function.clone(),
        call: inner.call,
        outer: Some(match &inner.outer {
            Some(next) => Arc::new(below(next, outer)),
            None => outer.clone(),
        }),
    }
}
