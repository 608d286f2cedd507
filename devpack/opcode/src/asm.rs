//! Writes single instructions. Choosing jump distances is the caller's work.

use crate::{MAX_ITEM_SIZE, Op, Syscall};

/// An instruction without operand, or the opcode of one whose operand the caller appends.
pub fn op(out: &mut Vec<u8>, op: Op) {
    out.push(op.byte());
}

/// An instruction with its operand bytes.
pub fn op_with(out: &mut Vec<u8>, op: Op, operand: &[u8]) {
    out.push(op.byte());
    out.extend_from_slice(operand);
}

/// Pushes a small integer in the shortest form.
pub fn push_int(out: &mut Vec<u8>, value: i64) {
    push_int_le(out, &value.to_le_bytes());
}

/// Pushes an integer given as little-endian two's complement of 1 to 32 bytes, in the shortest form.
///
/// Returns false, writing nothing, when there are no bytes or the number needs more than 32.
pub fn push_int_le(out: &mut Vec<u8>, bytes: &[u8]) -> bool {
    let minimal = minimal_le(bytes);
    if bytes.is_empty() || minimal.len() > 32 {
        return false;
    }
    match minimal {
        [] => out.push(Op::PUSH0.byte()),
        [0xFF] => out.push(Op::PUSHM1.byte()),
        [n @ 1..=16] => out.push(Op::PUSH0.byte() + n),
        _ => {
            let (code, size) = match minimal.len() {
                1 => (Op::PUSHINT8, 1),
                2 => (Op::PUSHINT16, 2),
                3..=4 => (Op::PUSHINT32, 4),
                5..=8 => (Op::PUSHINT64, 8),
                9..=16 => (Op::PUSHINT128, 16),
                _ => (Op::PUSHINT256, 32),
            };
            let negative = minimal.last().is_some_and(|b| b & 0x80 != 0);
            out.push(code.byte());
            out.extend_from_slice(minimal);
            out.resize(
                out.len() + size - minimal.len(),
                if negative { 0xFF } else { 0 },
            );
        }
    }
    true
}

/// Pushes bytes in the shortest form. False, writing nothing, above [`MAX_ITEM_SIZE`].
pub fn push_data(out: &mut Vec<u8>, data: &[u8]) -> bool {
    let n = data.len();
    if let Ok(short) = u8::try_from(n) {
        op_with(out, Op::PUSHDATA1, &[short]);
    } else if let Ok(middle) = u16::try_from(n) {
        op_with(out, Op::PUSHDATA2, &middle.to_le_bytes());
    } else if n <= MAX_ITEM_SIZE {
        let long = u32::try_from(n).unwrap_or(u32::MAX);
        op_with(out, Op::PUSHDATA4, &long.to_le_bytes());
    } else {
        return false;
    }
    out.extend_from_slice(data);
    true
}

/// Calls a service of the node.
pub fn syscall(out: &mut Vec<u8>, call: &Syscall) {
    op_with(out, Op::SYSCALL, &call.id);
}

/// The shortest little-endian two's complement with the same value; zero is empty, as in NeoVM.
pub fn minimal_le(bytes: &[u8]) -> &[u8] {
    let mut rest = bytes;
    loop {
        match rest {
            [0] => return &[],
            [front @ .., last] => {
                let sign = front.last().map(|b| b & 0x80);
                let droppable = matches!((*last, sign), (0x00, Some(0)) | (0xFF, Some(0x80)));
                if !droppable {
                    return rest;
                }
                rest = front;
            }
            [] => return rest,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::decode;

    fn check_int(value: i64, expected: &str) {
        let mut out = Vec::new();
        push_int(&mut out, value);
        let text: String = out.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(text, expected, "{value}");
    }

    #[test]
    fn integers_take_the_shortest_form() {
        check_int(0, "10");
        check_int(16, "20");
        check_int(-1, "0f");
        check_int(17, "0011");
        check_int(127, "007f");
        check_int(128, "018000");
        check_int(-128, "0080");
        check_int(-129, "017fff");
        check_int(32768, "0200800000");
        check_int(1 << 31, "030000008000000000");
        check_int(i64::MIN, "030000000000000080");
    }

    #[test]
    fn a_number_over_32_bytes_is_refused() {
        let mut out = Vec::new();
        assert!(!push_int_le(&mut out, &[1; 33]) && out.is_empty());
        let mut padded = [0u8; 40];
        padded[31] = 0x7F;
        assert!(push_int_le(&mut out, &padded));
        assert_eq!((out[0], out.len()), (Op::PUSHINT256.byte(), 33));
    }

    #[test]
    fn data_of_every_length_class_decodes_to_itself() {
        for n in [0, 1, 255, 256, 65_535, 65_536, MAX_ITEM_SIZE] {
            let data = vec![0xA5; n];
            let mut out = Vec::new();
            assert!(push_data(&mut out, &data));
            let all: Vec<_> = decode(&out).collect::<Result<_, _>>().unwrap();
            assert_eq!(all.len(), 1);
            assert_eq!(all[0].operand, data.as_slice(), "{n}");
        }
        assert!(!push_data(&mut Vec::new(), &vec![0; MAX_ITEM_SIZE + 1]));
    }
}
