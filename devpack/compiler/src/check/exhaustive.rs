//! Whether the arms of a `match` cover every value: column by column, constructor by constructor.

use num_bigint::BigInt;

use super::Checker;
use crate::tree::Pattern;
use crate::types::Ty;

/// Steps before the answer is "no": only patterns written to be hard need more.
const MAX_STEPS: usize = 100_000;

static WILD: Pattern = Pattern::Wild;

/// One way a value of a type can be made.
enum Made {
    Bool(bool),
    None,
    Some,
    Ok,
    Err,
    /// A number of an enum, or the first of a stretch of numbers; `None` is minus infinity.
    Number(Option<BigInt>),
    /// Tuple, struct or variant: what its first item is, and how many items come before its fields.
    Parts(Option<usize>, usize),
    /// Values that patterns cannot tell apart completely.
    Other,
}

impl Checker<'_, '_> {
    pub(super) fn exhaustive(&mut self, ty: &Ty, patterns: &[&Pattern]) -> bool {
        let rows = patterns.iter().map(|p| vec![*p]).collect();
        let mut steps = 0;
        self.covered(vec![ty.clone()], rows, &mut steps)
    }

    /// The first column's type is the last of `types`, and each row has its patterns in that order.
    fn covered(&mut self, mut types: Vec<Ty>, rows: Vec<Vec<&Pattern>>, steps: &mut usize) -> bool {
        *steps += 1 + rows.len();
        if rows.is_empty() || *steps > MAX_STEPS {
            return false;
        }
        let Some(ty) = types.pop() else {
            return true;
        };
        let mut flat: Vec<Vec<&Pattern>> = Vec::new();
        for row in rows {
            spread(row, &mut flat, steps);
        }
        if flat.iter().all(|row| row.last().is_none_or(|p| plain(p))) {
            flat.iter_mut().for_each(|row| {
                row.pop();
            });
            return self.covered(types, flat, steps);
        }
        for (made, fields) in self.ways(&ty, &flat) {
            let mut rows = Vec::new();
            for row in &flat {
                rows.extend(specialised(row, &made, fields.len()));
            }
            let mut inner = types.clone();
            inner.extend(fields.into_iter().rev());
            if !self.covered(inner, rows, steps) {
                return false;
            }
        }
        true
    }

    /// All ways to make a value of the type, as far as the first column tells them apart.
    fn ways(&mut self, ty: &Ty, rows: &[Vec<&Pattern>]) -> Vec<(Made, Vec<Ty>)> {
        match self.shallow(ty) {
            Ty::Bool => vec![(Made::Bool(true), vec![]), (Made::Bool(false), vec![])],
            Ty::Option(of) => vec![(Made::None, vec![]), (Made::Some, vec![(*of).clone()])],
            Ty::Result(te) => vec![
                (Made::Ok, vec![te.0.clone()]),
                (Made::Err, vec![te.1.clone()]),
            ],
            Ty::Enum(id, _) => {
                let values = self.p.enum_values(id);
                let number = |v: &i64| (Made::Number(Some(BigInt::from(*v))), vec![]);
                values.iter().map(number).collect()
            }
            Ty::Data(id, _) => {
                let variants = self.p.variants(id);
                let one = variants.len() == 1;
                let way = |(n, v): (usize, &crate::program::Variant)| {
                    let fields = v.fields.iter().map(|(_, ty)| ty.clone()).collect();
                    (Made::Parts((!one).then_some(n), 1), fields)
                };
                variants.iter().enumerate().map(way).collect()
            }
            Ty::Tuple(parts) => vec![(Made::Parts(None, 0), parts.to_vec())],
            Ty::Struct(id, _) => {
                let fields = self.p.fields(id);
                let types = fields.iter().map(|(_, ty)| ty.clone()).collect();
                vec![(Made::Parts(None, 0), types)]
            }
            Ty::Int | Ty::Small | Ty::Lit => stretches(rows)
                .into_iter()
                .map(|from| (Made::Number(from), vec![]))
                .collect(),
            _ => vec![(Made::Other, vec![])],
        }
    }
}

/// Whether the pattern fits whatever it meets, without looking inside.
fn plain(p: &Pattern) -> bool {
    matches!(
        p,
        Pattern::Wild | Pattern::Bind(_) | Pattern::Range(None, None)
    )
}

/// A row without `|` in its first column.
fn spread<'r>(row: Vec<&'r Pattern>, out: &mut Vec<Vec<&'r Pattern>>, steps: &mut usize) {
    *steps += 1;
    match row.last() {
        Some(Pattern::Or(list)) if *steps < MAX_STEPS => {
            for part in list {
                let mut next = row.clone();
                next.pop();
                next.push(part);
                spread(next, out, steps);
            }
        }
        _ => out.push(row),
    }
}

/// What is left of a row for values made in that way; `None` if it fits none of them.
fn specialised<'r>(row: &[&'r Pattern], made: &Made, fields: usize) -> Option<Vec<&'r Pattern>> {
    let (first, rest) = row.split_last()?;
    let mut out = rest.to_vec();
    let inner: Vec<&Pattern> = match (first, made) {
        (p, _) if plain(p) => vec![&WILD; fields],
        (Pattern::Bool(a), Made::Bool(b)) if a == b => vec![],
        (Pattern::None, Made::None) => vec![],
        (Pattern::Some(p), Made::Some)
        | (Pattern::Ok(p, _), Made::Ok)
        | (Pattern::Err(p, _), Made::Err) => vec![&**p],
        (Pattern::Range(low, high), Made::Number(from)) if fits(low, high, from.as_ref()) => vec![],
        (Pattern::Parts(tag, parts), Made::Parts(is, offset))
            if tag.is_none() || is.is_none() || tag == is =>
        {
            let mut inner = vec![&WILD; fields];
            for (n, p) in parts {
                if let Some(place) = n.checked_sub(*offset).and_then(|n| inner.get_mut(n)) {
                    *place = p;
                }
            }
            inner
        }
        _ => return None,
    };
    out.extend(inner.into_iter().rev());
    Some(out)
}

/// Where the stretches of numbers begin that the first column treats alike.
fn stretches(rows: &[Vec<&Pattern>]) -> Vec<Option<BigInt>> {
    let mut cuts: Vec<Option<BigInt>> = vec![None];
    for row in rows {
        if let Some(Pattern::Range(low, high)) = row.last() {
            cuts.extend(low.clone().map(Some));
            cuts.extend(high.clone().map(|h| Some(h + 1)));
        }
    }
    cuts.sort();
    cuts.dedup();
    cuts
}

/// Whether the stretch that starts at `from` (minus infinity if `None`) lies in the range.
fn fits(low: &Option<BigInt>, high: &Option<BigInt>, from: Option<&BigInt>) -> bool {
    let above = match (low, from) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(low), Some(from)) => low <= from,
    };
    let below = match (high, from) {
        (None, _) => true,
        (Some(_), None) => true,
        (Some(high), Some(from)) => from <= high,
    };
    above && below
}
