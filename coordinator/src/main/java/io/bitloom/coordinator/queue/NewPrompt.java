package io.bitloom.coordinator.queue;

import com.google.protobuf.ByteString;

/**
 * A prompt to be queued.
 *
 * @param bucket which batches it can be in
 * @param images how many images it asks for, at least 1
 * @param payload the prompt with every default filled in, opaque to the queue; it comes back with
 *     the lease and with the result
 */
public record NewPrompt(Bucket bucket, int images, ByteString payload) {}
