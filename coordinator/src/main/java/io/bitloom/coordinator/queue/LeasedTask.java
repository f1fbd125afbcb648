package io.bitloom.coordinator.queue;

import com.google.protobuf.ByteString;

/**
 * One prompt of a lease.
 *
 * @param attempt 1 on the first try
 * @param images how many images it asks for
 * @param payload as given to {@link NewPrompt}
 */
public record LeasedTask(TaskRef task, int attempt, int images, ByteString payload) {}
