package io.bitloom.coordinator.jobs;

import io.bitloom.coordinator.queue.Subscription;
import java.util.ArrayList;
import java.util.List;

/** What a call has subscribed to until it ends, also what comes in after that. */
final class Subscriptions {

  private final List<Subscription> open = new ArrayList<>();
  private boolean ended;

  synchronized void keep(Subscription subscription) {
    if (ended) {
      subscription.close();
    } else {
      open.add(subscription);
    }
  }

  synchronized boolean ended() {
    return ended;
  }

  /** Closes all; returns whether this is the end, and not after it. */
  synchronized boolean end() {
    boolean first = !ended;
    ended = true;
    open.forEach(Subscription::close);
    open.clear();
    return first;
  }
}
