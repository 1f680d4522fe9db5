//! One run at a time in this instance: who asks during a run makes it run once more.

use futures_channel::oneshot;
use std::sync::{Arc, Mutex, PoisonError};

/// One run at a time.
#[derive(Clone, Default)]
pub struct Flight(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    flying: bool,
    again: bool,
    /// Who waits for the end of the run under way.
    aboard: Vec<oneshot::Sender<()>>,
    /// Who waits for the end of the next one: what they want may lie behind the run under way.
    waiting: Vec<oneshot::Sender<()>>,
}

/// Comes true at the end of a whole run that began after it was asked for; fails when there is none.
pub type Ride = oneshot::Receiver<()>;

impl Flight {
    /// Asks for a run. True when the caller has to fly: run until [`Flight::land`] lets it go.
    pub fn board(&self) -> bool {
        Self::ask(&mut self.lock())
    }

    /// Asks for a run, as [`Flight::board`], to wait for its end.
    pub fn ride(&self) -> (bool, Ride) {
        let mut state = self.lock();
        let (told, ride) = oneshot::channel();
        let first = Self::ask(&mut state);
        if first {
            state.aboard.push(told);
        } else {
            state.waiting.push(told);
        }
        (first, ride)
    }

    /// Ends a run. False when somebody has asked meanwhile: run again.
    pub fn land(&self) -> bool {
        let mut state = self.lock();
        state.flying = std::mem::take(&mut state.again);
        let next = std::mem::take(&mut state.waiting);
        for told in std::mem::replace(&mut state.aboard, next) {
            // It fails when nobody waits any more.
            let _ = told.send(());
        }
        !state.flying
    }

    /// Gives up a run, and those that were asked for.
    pub fn give_up(&self) {
        *self.lock() = State::default();
    }

    fn ask(state: &mut State) -> bool {
        let first = !state.flying;
        state.flying = true;
        state.again = !first;
        first
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

    #[test]
    fn who_waits_is_told_at_the_end_of_a_run_that_began_after_the_asking() {
        let flight = Flight::default();
        let (first, mut own) = flight.ride();
        let (second, mut next) = flight.ride();
        assert!(first && !second);
        assert!(!flight.land());
        assert_eq!((own.try_recv(), next.try_recv()), (Ok(Some(())), Ok(None)));
        assert!(flight.land());
        assert_eq!(next.try_recv(), Ok(Some(())));
    }

    #[test]
    fn who_waits_for_a_run_that_is_given_up_hears_so() {
        let flight = Flight::default();
        let (_, mut own) = flight.ride();
        let (_, mut next) = flight.ride();
        flight.give_up();
        assert!(own.try_recv().is_err() && next.try_recv().is_err());
        assert!(flight.board(), "the next one flies");
    }
}
