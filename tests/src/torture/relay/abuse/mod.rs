//! `torture abuse`: what people do to a relay, while honest ones use it. Its memory must stay below its bound, and what
//! honest people wait may at most double.
//!
//! A machine is never equally busy for a minute, so each attack is cut into windows, with calm ones between them, and
//! medians of windows are compared.

mod attacks;
mod honest;
mod sessions;

use std::time::{Duration, Instant};

use tokio::runtime::{Handle, Runtime};

use super::World;
use attacks::{Attack, Garbage, Spoofing};
use honest::{Honest, Target};
use sessions::{Forgery, Idle, Slow};

pub use honest::Times;

/// How much of everything.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Datagrams that mean nothing, and how many of them a second.
    pub garbage: usize,
    pub rate: usize,
    /// First packets of connections, each from another address.
    pub spoofed: usize,
    pub slow_readers: usize,
    pub idle: usize,
    /// Messages with a wrong signature, and as many that have been here.
    pub forged: usize,
    /// Honest messages that are timed in each window.
    pub honest: usize,
    /// Windows of each attack.
    pub windows: usize,
}

impl Size {
    /// What a relay has to stand.
    pub const FULL: Size = Size {
        garbage: 1_000_000,
        // A sixth of a core for a relay that is not optimised.
        rate: 25_000,
        spoofed: 2_000,
        slow_readers: 50,
        idle: 10_000,
        forged: 20_000,
        honest: 400,
        windows: 15,
    };

    /// What a test has time for.
    pub const SMALL: Size = Size {
        garbage: 50_000,
        rate: 25_000,
        spoofed: 300,
        slow_readers: 10,
        idle: 300,
        forged: 500,
        honest: 50,
        windows: 2,
    };

    /// Sets a number by its name; false for a name that is none, and for 0.
    pub fn set(&mut self, name: &str, number: usize) -> bool {
        let field = match name {
            "garbage" => &mut self.garbage,
            "rate" => &mut self.rate,
            "spoofed" => &mut self.spoofed,
            "slow" => &mut self.slow_readers,
            "idle" => &mut self.idle,
            "forged" => &mut self.forged,
            "honest" => &mut self.honest,
            "windows" => &mut self.windows,
            _ => return false,
        };
        *field = number;
        number > 0
    }

    fn in_window(&self, all: usize) -> usize {
        all.div_ceil(self.windows)
    }
}

/// What came of one attack.
#[derive(Clone, Debug)]
pub struct Phase {
    pub name: &'static str,
    /// What honest messages took in the calm windows before, between and after.
    pub calm: Times,
    /// And in those of the attack.
    pub attacked: Times,
    /// The relay's memory at its highest, MiB.
    pub rss_mib: f64,
    /// Memory that it may have then.
    pub bound_mib: f64,
    /// Share of one core that the relay took in the windows of the attack.
    pub cores: f64,
    /// What is worth knowing besides.
    pub note: String,
    /// Attacks that did not do what they should.
    pub broken: Vec<String>,
}

impl Phase {
    /// How much longer honest people waited.
    pub fn slower(&self) -> f64 {
        self.attacked.p99_ms / self.calm.p99_ms
    }

    /// What is not as it must be; times only if `with_times`, for which a machine must not be busy otherwise.
    pub fn failures(&self, with_times: bool) -> Vec<String> {
        let mut failures = self.broken.clone();
        if self.rss_mib > self.bound_mib {
            failures.push(format!(
                "{:.1} MiB of memory, {:.0} are the bound",
                self.rss_mib, self.bound_mib
            ));
        }
        if with_times && (self.slower() > 2.0 || self.slower().is_nan()) {
            failures.push(format!("p99 is {:.2} times that of calm", self.slower()));
        }
        failures
    }

    /// A line of the table under [`HEAD`].
    pub fn line(&self) -> String {
        format!(
            "{:<20} {:>9.2} {:>9.2} {:>9.2} {:>9.2} {:>7.2} {:>8.1} {:>7.0} {:>6.2}  {}",
            self.name,
            self.calm.p50_ms,
            self.calm.p99_ms,
            self.attacked.p50_ms,
            self.attacked.p99_ms,
            self.slower(),
            self.rss_mib,
            self.bound_mib,
            self.cores,
            self.note,
        )
    }
}

/// Over the lines of [`Phase::line`].
pub const HEAD: &str =
    "attack                calm p50  calm p99       p50       p99   times      MiB   bound  cores";

/// Memory of a relay that does nothing, with its program; what a session may take for connection, tables and tasks; and
/// what waits for a reader who does not read: stream, queue, datagrams.
const BASE_MIB: f64 = 128.0;
const IDLE_KIB: f64 = 64.0;
const SLOW_KIB: f64 = 1024.0 + 256.0 + 256.0;

/// Sessions beside those of the attacks.
const OTHERS: usize = 200;

/// Runs all phases on one relay; `tell` gets each when it is over.
pub async fn run(size: Size, mut tell: impl FnMut(&Phase)) -> Vec<Phase> {
    go_first();
    let world = World::new().await;
    let config = format!(
        "[log]\nmax_mib = 64\n[limits]\nsessions = {}\n",
        size.idle + size.slow_readers + OTHERS
    );
    let mut place = world.place(&config);
    world.start(&mut place, None);
    let relay = Target::of(&world, &place);
    let outside = outside();
    let mut run = Run {
        honest: Honest::new(relay).await,
        outside: outside.handle().clone(),
        pid: place.pid(),
        size,
    };
    let mut phases = Vec::new();
    let mut add = |phase: Phase| {
        tell(&phase);
        phases.push(phase);
    };
    // The first messages pay for what is opened and loaded once.
    run.quiet().await;

    let garbage = Garbage::new(relay.address, size.in_window(size.garbage), size.rate);
    add(run.phase("garbage datagrams", 0.0, garbage).await);
    let spoofing = Spoofing::new(relay.address, size.in_window(size.spoofed));
    let spoofing = run.outside(spoofing).await;
    add(run.phase("spoofed sources", 0.0, spoofing).await);
    let slow = run.outside(Slow::new(relay, size.slow_readers)).await;
    let kib = size.slow_readers as f64 * SLOW_KIB;
    add(run.phase("slow readers", kib, slow).await);
    let kib = kib + size.idle as f64 * IDLE_KIB;
    let share = size.in_window(size.idle);
    let idle = run.outside(async move { Idle::new(relay, share) }).await;
    let before = run.quiet_ones().await;
    add(run.phase("opening sessions", kib, idle.clone()).await);
    add(run.held("idle sessions", kib, &idle, before).await);
    drop(idle);
    let forgery = Forgery::new(relay, size.in_window(size.forged));
    let forgery = run.outside(forgery).await;
    add(run.phase("forged and replayed", kib, forgery).await);
    // A runtime must not be dropped where others wait.
    outside.shutdown_background();
    phases
}

/// Lets this process, and the relay that it starts, go before other programs on the machine, if it may: their work is no
/// part of what is measured.
fn go_first() {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    for thread in threads.flatten() {
        let id = thread.file_name().to_string_lossy().parse().ok();
        if let Some(id) = id.and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::setpriority_process(Some(id), -10);
        }
    }
}

/// Threads for those who attack. They have machines of their own; here they have what relay and honest people leave.
fn outside() -> Runtime {
    let humble = || {
        let _ = rustix::process::setpriority_process(None, 10);
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .on_thread_start(humble)
        .enable_all()
        .build();
    runtime.unwrap()
}

struct Run {
    pid: u32,
    honest: Honest,
    /// Threads of those who attack.
    outside: Handle,
    size: Size,
}

impl Run {
    /// Does something on the attackers' threads.
    async fn outside<T: Send + 'static>(
        &self,
        what: impl Future<Output = T> + Send + 'static,
    ) -> T {
        self.outside.spawn(what).await.unwrap()
    }

    /// One window, in which others do something until they are ready. One that lasts long counts as several: what
    /// disturbs the machine now and then would be in each long one and in few short ones.
    async fn window<T: Send + 'static>(
        &mut self,
        others: impl Future<Output = T> + Send + 'static,
    ) -> (T, Vec<Times>) {
        let others = self.outside.spawn(others);
        let mut times = Vec::new();
        while times.len() < self.size.honest || !others.is_finished() {
            times.push(self.honest.time().await);
        }
        let windows = times.chunks_exact(self.size.honest);
        let windows = windows.map(|window| Times::of(window.to_vec()));
        (others.await.unwrap(), windows.collect())
    }

    /// One window without an attack.
    async fn quiet(&mut self) -> Vec<Times> {
        self.window(async {}).await.1
    }

    /// An attack in windows, with calm ones around each.
    async fn phase<A: Attack>(&mut self, name: &'static str, kib: f64, attack: A) -> Phase {
        let (mut attack, times) = self.window(attack.calm()).await;
        let (mut calm, mut attacked) = (times, Vec::new());
        let mut usage = Usage::of(self.pid);
        for _ in 0..self.size.windows {
            usage.start();
            let (after, times) = self.window(attack.window()).await;
            usage.stop();
            attacked.extend(times);
            let (after, times) = self.window(after.calm()).await;
            calm.extend(times);
            attack = after;
        }
        let (note, broken) = (attack.note(), attack.broken());
        self.judged(name, kib, [calm, attacked], usage, (note, broken))
    }

    /// As many windows without an attack as an attack has.
    async fn quiet_ones(&mut self) -> Vec<Times> {
        let mut windows = Vec::new();
        for _ in 0..self.size.windows {
            windows.extend(self.quiet().await);
        }
        windows
    }

    /// Sessions that are open already: calm was before they were opened, and comes when they are closed.
    async fn held(
        &mut self,
        name: &'static str,
        kib: f64,
        idle: &Idle,
        mut calm: Vec<Times>,
    ) -> Phase {
        let mut usage = Usage::of(self.pid);
        usage.start();
        let attacked = self.quiet_ones().await;
        usage.stop();
        let open = idle.open().await;
        let broken = match open < self.size.idle {
            true => vec![format!("{open} of {} sessions stayed open", self.size.idle)],
            false => Vec::new(),
        };
        idle.close().await;
        // Thousands of goodbyes are no calm.
        tokio::time::sleep(Duration::from_secs(2)).await;
        calm.extend(self.quiet_ones().await);
        let told = (format!("{open} stayed open"), broken);
        self.judged(name, kib, [calm, attacked], usage, told)
    }

    fn judged(
        &self,
        name: &'static str,
        kib: f64,
        [calm, attacked]: [Vec<Times>; 2],
        usage: Usage,
        (note, broken): (String, Vec<String>),
    ) -> Phase {
        Phase {
            name,
            calm: Times::median(&calm),
            attacked: Times::median(&attacked),
            rss_mib: usage.peak_mib(),
            bound_mib: BASE_MIB + kib / 1024.0,
            cores: usage.cpu.as_secs_f64() / usage.wall.as_secs_f64(),
            note,
            broken,
        }
    }
}

/// What the relay's process takes.
struct Usage {
    pid: u32,
    began: (Instant, Duration),
    cpu: Duration,
    wall: Duration,
}

impl Usage {
    /// Its peak of memory counts from here on.
    fn of(pid: u32) -> Self {
        std::fs::write(format!("/proc/{pid}/clear_refs"), "5").unwrap();
        Self {
            pid,
            began: (Instant::now(), cpu(pid)),
            cpu: Duration::ZERO,
            wall: Duration::ZERO,
        }
    }

    fn start(&mut self) {
        self.began = (Instant::now(), cpu(self.pid));
    }

    fn stop(&mut self) {
        self.wall += self.began.0.elapsed();
        self.cpu += cpu(self.pid).saturating_sub(self.began.1);
    }

    fn peak_mib(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM"));
        let kib = line.unwrap().split_whitespace().nth(1).unwrap();
        kib.parse::<f64>().unwrap() / 1024.0
    }
}

/// Time that a process has had on all cores: two fields of `stat`, in hundredths of a second.
fn cpu(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let ticks = fields.split(' ').skip(11).take(2);
    let ticks: u64 = ticks.map(|field| field.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}
