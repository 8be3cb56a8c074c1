//! The `relayhouse` program. Everything it does is in the library's `app`.

fn main() -> std::process::ExitCode {
    relayhouse::app::main()
}
