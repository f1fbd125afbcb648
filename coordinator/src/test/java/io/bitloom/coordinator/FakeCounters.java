package io.bitloom.coordinator;

import java.util.concurrent.atomic.AtomicLong;

/** What a {@link FakeWorker} counts. */
final class FakeCounters {

  final AtomicLong batches = new AtomicLong();
  final AtomicLong prompts = new AtomicLong();
  final AtomicLong committed = new AtomicLong();
  final AtomicLong superseded = new AtomicLong();
  final AtomicLong leasesLost = new AtomicLong();
  final AtomicLong welcomes = new AtomicLong();
}
