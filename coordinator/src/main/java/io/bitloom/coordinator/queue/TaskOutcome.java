package io.bitloom.coordinator.queue;

import com.google.protobuf.ByteString;

/**
 * What a prompt came to.
 *
 * @param succeeded false: a failure that no other attempt can mend
 * @param body what readers of the result need besides the prompt, opaque to the queue
 */
public record TaskOutcome(TaskRef task, boolean succeeded, ByteString body) {}
