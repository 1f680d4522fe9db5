//! One run at a time in this instance: who asks during a run makes it run once more.

use std::sync::{Arc, Mutex, PoisonError};

#[derive(Clone, Copy, Default, PartialEq)]
enum State {
    #[default]
    Landed,
    Flying,
    FlyAgain,
}

/// One run at a time.
#[derive(Clone, Default)]
pub struct Flight(Arc<Mutex<State>>);

impl Flight {
    /// Asks for a run. True when the caller has to fly: call `run` until [`Flight::land`] lets it go.
    pub fn board(&self) -> bool {
        let mut state = self.lock();
        let first = *state == State::Landed;
        *state = if first { State::Flying } else { State::FlyAgain };
        first
    }

    /// Ends a run. False when somebody has asked meanwhile: run again.
    pub fn land(&self) -> bool {
        let mut state = self.lock();
        let done = *state == State::Flying;
        *state = if done { State::Landed } else { State::Flying };
        done
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_during_a_run_gets_one_more_run() {
        let flight = Flight::default();
        assert!(flight.board());
        assert!(!flight.board() && !flight.board());
        assert!(!flight.land(), "two asked during the run: one more run");
        assert!(flight.land());
        assert!(flight.board());
    }
}
