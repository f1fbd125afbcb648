package io.bitloom.engine;

/**
 * For how long something was busy, what goes on included: a batch may take longer than the time
 * between two looks. One thread begins and ends; any may look.
 */
final class BusyTime {

  private long nanos; // guarded by this
  private long since; // guarded by this
  private boolean busy; // guarded by this

  synchronized void begin() {
    busy = true;
    since = System.nanoTime();
  }

  synchronized void end() {
    nanos += System.nanoTime() - since;
    busy = false;
  }

  synchronized double seconds() {
    return (nanos + (busy ? System.nanoTime() - since : 0)) / 1e9;
  }
}
