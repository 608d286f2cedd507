//! A message of another relay on its way in: the same checks as for a client's, then to listeners and log. It is never
//! written to the chain from here; that is the business of the relay that its author chose.

use std::sync::Arc;

use phantasma_net::verify_signature;
use phantasma_wire::Hash;
use phantasma_wire::batch::VerifiedRoots;
use phantasma_wire::message::{Class, Message};
use phantasma_wire::relay::RelayError;

use crate::dedup::{Entered, Refusal};
use crate::hub::Way;
use crate::intake::Intake;

impl Intake {
    /// Checks a live message as if a client had sent it, by the box's gate too: the other relay may know an older one, or lie.
    pub(super) async fn check_live(
        &self,
        message: &Message,
        roots: &mut VerifiedRoots,
    ) -> Result<(), Refusal> {
        if message.body.class == Class::Durable {
            let text = "a message that is kept comes with the log";
            return Err(Refusal::new(RelayError::Protocol, text));
        }
        self.check_form(&message.body)?;
        self.check_author_and_box(message, roots).await?;
        self.check_gate(&message.body, &mut None).await
    }

    /// Checks a kept message. It may be as old as what is kept here; an older one may have been here and expired.
    pub(super) async fn check_kept(
        &self,
        message: &Message,
        roots: &mut VerifiedRoots,
    ) -> Result<(), Refusal> {
        let body = &message.body;
        if body.class != Class::Durable {
            let text = "only durable messages are kept";
            return Err(Refusal::new(RelayError::Protocol, text));
        }
        self.chain_id.check(body.network, &body.contract)?;
        if body.payload.len() > self.limits.now().max_payload {
            let text = "a longer payload than this relay takes";
            return Err(Refusal::new(RelayError::WrongTime, text));
        }
        let window = u64::try_from(self.limits.now().time_window.as_millis()).unwrap_or(u64::MAX);
        let now = (self.clock)();
        let oldest = now
            .saturating_sub(self.keep_ms)
            .saturating_add(window.saturating_mul(2));
        if body.time_ms < oldest || body.time_ms > now.saturating_add(window) {
            let text = "from another time than what is kept here";
            return Err(Refusal::new(RelayError::WrongTime, text));
        }
        self.check_author_and_box(message, roots).await
    }

    async fn check_author_and_box(
        &self,
        message: &Message,
        roots: &mut VerifiedRoots,
    ) -> Result<(), Refusal> {
        if !roots.is_signed(message, verify_signature) {
            let text = "the author's key did not sign this message";
            return Err(Refusal::new(RelayError::BadSignature, text));
        }
        self.check_box(message.body.box_id).await
    }

    /// Hands a checked live message to whoever listens here; false when they have had it.
    pub(super) fn deliver_linked(self: &Arc<Self>, id: Hash, message: &Message) -> bool {
        let (class, box_id) = (message.body.class, message.body.box_id);
        let way = match class {
            Class::Ephemeral => Way::Datagram,
            Class::Durable | Class::OnChain => Way::Stream,
        };
        let Entered::New { deliver } = self.dedup.enter(id, class) else {
            return false;
        };
        let subscribers = match deliver {
            true => self.deliver(box_id, vec![message.clone()], way),
            false => 0,
        };
        match class {
            Class::Ephemeral => drop(self.delivered(id, subscribers)),
            // Its author may still send it here to have it written; listeners have had it then.
            Class::Durable | Class::OnChain => {
                let text = "the message came from another relay meanwhile; send it again";
                let verdict = Err(Refusal::new(RelayError::Internal, text));
                self.dedup.finish(id, class, &verdict, true, (self.clock)());
            }
        }
        deliver
    }
}
