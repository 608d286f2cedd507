"""A plain NEP-17 token in the style of boa's own documentation."""
from typing import Any

from boa3.sc.compiletime import NeoMetadata, public
from boa3.sc.contracts import ContractManagement
from boa3.sc.runtime import check_witness
from boa3.sc.storage import delete, get_context, get_int, put_int
from boa3.sc.types import UInt160
from boa3.sc.utils import CreateNewEvent, call_contract

SUPPLY = b'\x01'
BALANCE = b'\x10'


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
    return get_int(SUPPLY)


@public(name='balanceOf', safe=True)
def balance_of(account: UInt160) -> int:
    assert len(account) == 20
    return get_int(BALANCE + account)


@public
def transfer(from_address: UInt160, to_address: UInt160, amount: int, data: Any) -> bool:
    assert len(from_address) == 20
    assert len(to_address) == 20
    assert amount >= 0
    if not check_witness(from_address):
        return False
    from_key = BALANCE + from_address
    available = get_int(from_key)
    if available < amount:
        return False
    if amount != 0 and from_address != to_address:
        if available == amount:
            # delete with its default context does not compile in this version
            delete(from_key, get_context())
        else:
            put_int(from_key, available - amount)
        to_key = BALANCE + to_address
        put_int(to_key, get_int(to_key) + amount)
    on_transfer(from_address, to_address, amount)
    if ContractManagement.get_contract(to_address) is not None:
        call_contract(to_address, 'onNEP17Payment', [from_address, amount, data])
    return True


@public
def _deploy(data: Any, update: bool):
    if not update:
        owner: UInt160 = data
        put_int(SUPPLY, 10_000_000_00000000)
        put_int(BALANCE + owner, 10_000_000_00000000)
        on_transfer(None, owner, 10_000_000_00000000)
