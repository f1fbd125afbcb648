package io.bitloom.coordinator.queue;

/** The same with jobs of which every two prompts are in another part and shard than the next. */
class SpreadQueueModelIT extends QueueModelIT {

  @Override
  QueueSettings settings() {
    return super.settings().spread(3, 2);
  }
}
