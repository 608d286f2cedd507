"""The same token without any conversion: `cast` costs nothing, a key is a number, isContract instead of getContract."""
from typing import Any, cast

from boa3.sc.compiletime import NeoMetadata, public
from boa3.sc.runtime import check_witness
from boa3.sc.storage import delete, get, get_context, put
from boa3.sc.types import UInt160
from boa3.sc.utils import CreateNewEvent, call_contract

SUPPLY = b'\x01'
MANAGEMENT = UInt160(b'\xfd\xa3\xfa\x43\x46\xea\x53\x2a\x25\x8f\xc4\x97\xdd\xad\xdb\x64\x37\xc9\xfd\xff')


def manifest_metadata() -> NeoMetadata:
    meta = NeoMetadata()
    meta.supported_standards = ['NEP-17']
    meta.add_permission()
    return meta


on_transfer = CreateNewEvent(
    [('from', UInt160 | None), ('to', UInt160 | None), ('amount', int)],
    'Transfer'
)


@public(safe=True)
def symbol() -> str:
    return 'BENCH'


@public(safe=True)
def decimals() -> int:
    return 8


@public(name='totalSupply', safe=True)
def total_supply() -> int:
    return cast(int, get(SUPPLY)) + 0


@public(name='balanceOf', safe=True)
def balance_of(account: UInt160) -> int:
    assert len(account) == 20
    return cast(int, get(cast(bytes, cast(int, account) * 256 + 16))) + 0


@public
def transfer(from_address: UInt160, to_address: UInt160, amount: int, data: Any) -> bool:
    assert len(from_address) == 20
    assert len(to_address) == 20
    assert amount >= 0
    if not check_witness(from_address):
        return False
    from_key = cast(bytes, cast(int, from_address) * 256 + 16)
    available = cast(int, get(from_key))
    if available < amount:
        return False
    if amount != 0:
        if from_address != to_address:
            if available == amount:
                delete(from_key, get_context())
            else:
                put(from_key, cast(bytes, available - amount))
            to_key = cast(bytes, cast(int, to_address) * 256 + 16)
            put(to_key, cast(bytes, cast(int, get(to_key)) + amount))
    on_transfer(from_address, to_address, amount)
    if call_contract(MANAGEMENT, 'isContract', [to_address]):
        call_contract(to_address, 'onNEP17Payment', [from_address, amount, data])
    return True


@public
def _deploy(data: Any, update: bool):
    if not update:
        owner = cast(UInt160, data)
        put(SUPPLY, cast(bytes, 10_000_000_00000000))
        put(cast(bytes, cast(int, owner) * 256 + 16), cast(bytes, 10_000_000_00000000))
        on_transfer(None, owner, 10_000_000_00000000)
