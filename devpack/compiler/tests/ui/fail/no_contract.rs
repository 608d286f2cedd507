pub mod methods {
    pub fn run() {}
}
