//! One link, from its Hello to its end.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use phantasma_net::{Connection, FrameReceiver, FrameSender, NetError};
use phantasma_wire::batch::VerifiedRoots;
use phantasma_wire::message::Message;
use phantasma_wire::relay::{LinkFrame, RelayError};
use tokio_util::sync::CancellationToken;

use super::follow::{CursorFile, Following, Step};
use super::outgo::{Asked, Outgo, Writer};
use super::state::NewLink;
use super::{Links, PeerSettings, Shared};

/// A relay that has not said hello after so long is sent away.
const HELLO: Duration = Duration::from_secs(10);

/// Batches of one link that are remembered as checked: 300 bytes each.
const ROOTS: usize = 64;

/// How often the place in the other's log is written down.
const WRITE_CURSOR: Duration = Duration::from_secs(1);

/// What the other relay said of itself.
struct Hello {
    run: u64,
    boxes: Vec<u64>,
}

/// Runs a link until it ends; whether there was one. `dialled`: this side opened the connection.
pub(super) async fn run(
    intake: Shared,
    connection: Connection,
    dialled: bool,
    stop: CancellationToken,
) -> bool {
    let peer = hex::encode(connection.peer());
    let address = connection.remote_address();
    let mut linked = false;
    let ended = tokio::select! {
        ended = serve(&intake, &connection, dialled, &mut linked) => ended,
        () = stop.cancelled() => Ok("the relay is stopping"),
    };
    match ended {
        Ok(reason) => {
            tracing::debug!(%peer, %address, reason, "link ends");
            connection.close(reason);
        }
        Err(error) => {
            tracing::info!(%peer, %address, %error, "link ends");
            connection.close("the link has ended");
        }
    }
    linked
}

async fn serve(
    intake: &Shared,
    connection: &Connection,
    dialled: bool,
    linked: &mut bool,
) -> Result<&'static str, NetError> {
    let links = &intake.links;
    let Some(settings) = &links.settings else {
        return Ok("this relay has no links");
    };
    let key = connection.peer();
    let admitted = links
        .lock()
        .book
        .admits(&key, settings.open, links.now_ms());
    if key == links.own_key || !(admitted || dialled) {
        return Ok("this relay links with others only");
    }
    let greeted = tokio::time::timeout(HELLO, greet(intake, settings, connection, dialled)).await;
    let greeted = greeted.map_err(|_| NetError::AnswerTimeout {
        seconds: HELLO.as_secs(),
    })??;
    let Some((sender, receiver, hello)) = greeted else {
        return Ok("another chain or contract, or not a hello");
    };
    let boxes = format!(
        "{} {}",
        named(settings.boxes.iter()),
        named(hello.boxes.iter())
    );
    let (file, cursor, last) = CursorFile::open(&links.folder, &hex::encode(key), boxes);
    let outgo = Arc::new(Outgo::new(connection.clone()));
    let now_ms = links.now_ms();
    let mut following = Following::new(cursor, last);
    outgo.request(&following.ask(false, now_ms));
    let new = NewLink {
        key,
        run: hello.run,
        dialled,
        boxes: hello.boxes.into_iter().collect(),
        outgo: outgo.clone(),
        following,
    };
    let up = links
        .lock()
        .up(new, &links.own_key, settings.max_links, now_ms);
    let link = match up {
        Ok(link) => link,
        Err(reason) => return Ok(reason),
    };
    let _up = Up {
        links: links.clone(),
        link,
    };
    *linked = true;
    tracing::info!(peer = hex::encode(key), address = %connection.remote_address(), dialled, "linked");
    let writer = Writer {
        intake: intake.clone(),
        link,
        outgo: outgo.clone(),
        sender,
    };
    let reader = Reader {
        intake: intake.clone(),
        link,
        outgo,
        roots: VerifiedRoots::new(ROOTS),
    };
    tokio::select! {
        ended = reader.run(receiver) => ended,
        ended = writer.run() => ended.map(|()| "the link has ended"),
        () = write_cursor(intake, link, file) => Ok("the link has ended"),
    }
}

/// Takes the link off the list however it ends: its entry holds the connection, and with it the port.
struct Up {
    links: Arc<Links>,
    link: u64,
}

impl Drop for Up {
    fn drop(&mut self) {
        self.links.lock().down(self.link, self.links.now_ms());
    }
}

/// Both say hello, who dialled first. `None` when the other does not belong here.
async fn greet(
    intake: &Shared,
    settings: &PeerSettings,
    connection: &Connection,
    dialled: bool,
) -> Result<Option<(FrameSender, FrameReceiver, Hello)>, NetError> {
    let own = LinkFrame::Hello {
        network: intake.chain_id.network,
        contract: intake.chain_id.contract,
        run: intake.links.run,
        boxes: settings.boxes.iter().copied().collect(),
    };
    let (mut sender, mut receiver) = match dialled {
        true => connection.open().await?,
        false => connection.accept().await?,
    };
    if dialled {
        sender.send(&own).await?;
    }
    let Some(LinkFrame::Hello {
        network,
        contract,
        run,
        boxes,
    }) = receiver.receive().await?
    else {
        return Ok(None);
    };
    if intake.chain_id.check(network, &contract).is_err() {
        return Ok(None);
    }
    if !dialled {
        sender.send(&own).await?;
    }
    Ok(Some((sender, receiver, Hello { run, boxes })))
}

fn named<'a>(boxes: impl Iterator<Item = &'a u64>) -> String {
    let boxes: BTreeSet<&u64> = boxes.collect();
    let names: Vec<String> = boxes.iter().map(|box_id| box_id.to_string()).collect();
    match names.is_empty() {
        true => "all".to_owned(),
        false => names.join(","),
    }
}

async fn write_cursor(intake: &Shared, link: u64, mut file: CursorFile) {
    let mut ticks = tokio::time::interval(WRITE_CURSOR);
    loop {
        ticks.tick().await;
        let links = &intake.links;
        let cursor = links
            .lock()
            .links
            .get(&link)
            .map(|link| link.following.cursor());
        let Some(cursor) = cursor else { return };
        let written = tokio::task::spawn_blocking(move || {
            file.write(cursor);
            file
        });
        match written.await {
            Ok(again) => file = again,
            Err(_) => return,
        }
    }
}

/// The receiving side.
struct Reader {
    intake: Shared,
    link: u64,
    outgo: Arc<Outgo>,
    roots: VerifiedRoots,
}

impl Reader {
    async fn run(mut self, mut receiver: FrameReceiver) -> Result<&'static str, NetError> {
        loop {
            let frame = match receiver.receive::<LinkFrame>().await {
                Ok(Some(frame)) => frame,
                Ok(None) => return Ok("the other relay has ended the link"),
                Err(error) => {
                    if matches!(error, NetError::Decode(_) | NetError::FrameTooLong { .. }) {
                        self.bad();
                    }
                    return Err(error);
                }
            };
            if !self.handle(frame).await {
                return Ok("what came over the link was not to be borne");
            }
        }
    }

    /// False when the link is to end.
    async fn handle(&mut self, frame: LinkFrame) -> bool {
        let links = self.intake.links.clone();
        let (numbers, link) = (&links.numbers, self.link);
        match frame {
            LinkFrame::Hello { .. } => {
                self.bad();
                return false;
            }
            LinkFrame::Push { message } => return self.push(message).await,
            LinkFrame::Have { box_id, id } => {
                if links.serves(box_id) {
                    links.lock().have(link, box_id, id, links.now_ms());
                }
            }
            LinkFrame::Graft { box_id, id } => {
                if links.serves(box_id) {
                    links.lock().grafted(numbers, link, box_id, id);
                }
            }
            LinkFrame::Prune { box_id } => {
                if links.serves(box_id) {
                    links.lock().pruned(link, box_id);
                }
            }
            LinkFrame::Follow {
                number,
                from,
                last,
                whole,
            } => {
                let from = self.resume(from, last).await;
                self.outgo.ask(Asked {
                    number,
                    from,
                    whole,
                });
            }
            LinkFrame::Restart { number, whole } => {
                if let Some(found) = links.lock().links.get_mut(&link) {
                    found.following.restarted(number, whole);
                }
            }
            LinkFrame::Kept { position, message } => return self.kept(position, message).await,
            LinkFrame::KeptId {
                position,
                box_id,
                id,
            } => {
                if !links.serves(box_id) {
                    return true;
                }
                let place = (position, box_id, id);
                let step = links
                    .lock()
                    .kept(numbers, link, place, false, links.now_ms());
                return step != Step::Wrong || !self.bad();
            }
        }
        true
    }

    /// Where the other really has to begin: at the start when the message before is not the one that it knows.
    async fn resume(&self, from: u64, last: [u8; 32]) -> u64 {
        let log = &self.intake.log;
        let before = from.saturating_sub(1);
        if before == 0 || last == [0; 32] {
            return from.max(1);
        }
        match log.ids(before, 1).await.as_deref() {
            // Expired meanwhile.
            Ok([(position, _)]) if *position > before => from,
            Ok([(_, id)]) if *id == last => from,
            Ok(_) => 1,
            Err(error) => {
                tracing::warn!(%error, "the log could not be read for another relay");
                from
            }
        }
    }

    async fn push(&mut self, message: Message) -> bool {
        let links = &self.intake.links;
        if !links.serves(message.body.box_id) {
            return true;
        }
        let id = message.id();
        if let Err(refusal) = self.intake.check_live(&message, &mut self.roots).await {
            return match is_bad(refusal.error) {
                true => !self.bad(),
                false => true,
            };
        }
        let new = self.intake.deliver_linked(id, &message);
        let numbers = &links.numbers;
        links.lock().pushed(numbers, (self.link, id), &message, new);
        true
    }

    async fn kept(&mut self, position: u64, message: Message) -> bool {
        let links = self.intake.links.clone();
        let (numbers, link) = (&links.numbers, self.link);
        let (box_id, id) = (message.body.box_id, message.id());
        if !links.serves(box_id) {
            return true;
        }
        let place = (position, box_id, id);
        let step = links
            .lock()
            .kept(numbers, link, place, true, links.now_ms());
        match step {
            Step::Take => {}
            Step::Wrong => return !self.bad(),
            Step::Known { .. } | Step::Awaited | Step::Ignored | Step::Again => return true,
        }
        if let Err(refusal) = self.intake.check_kept(&message, &mut self.roots).await {
            return self.refused(position, refusal.error);
        }
        let _turn = links.turn.lock().await;
        if !links.lock().taking(numbers, link, box_id, id) {
            return true;
        }
        if let Err(refusal) = self.intake.take_in(id, &message, &mut None).await {
            links.not_stored(&id);
            return self.refused(position, refusal.error);
        }
        true
    }

    /// A kept message that this relay does not take: for ever, or for now.
    fn refused(&self, position: u64, error: RelayError) -> bool {
        let links = &self.intake.links;
        let for_now = matches!(
            error,
            RelayError::Limit | RelayError::Internal | RelayError::Closing
        );
        if let Some(found) = links.lock().links.get_mut(&self.link) {
            match for_now {
                true => found.following.pause(links.now_ms()),
                false => found.following.skip(position),
            }
        }
        !(is_bad(error) && self.bad())
    }

    /// True when the link is to be cut.
    fn bad(&self) -> bool {
        let links = &self.intake.links;
        links.lock().bad(&links.numbers, self.link, links.now_ms())
    }
}

/// What no honest relay passes on: it checks the same. A clock, a chain or a log that differ are no lie.
fn is_bad(error: RelayError) -> bool {
    matches!(
        error,
        RelayError::BadSignature | RelayError::WrongChain | RelayError::Protocol
    )
}
