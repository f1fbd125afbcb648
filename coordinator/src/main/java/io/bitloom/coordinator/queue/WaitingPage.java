package io.bitloom.coordinator.queue;

import com.google.protobuf.ByteString;
import java.util.List;
import java.util.Optional;

/**
 * Prompts without an outcome, in the order in which they were appended.
 *
 * @param next where to go on; empty: these are all
 */
public record WaitingPage(List<Prompt> prompts, Optional<Place> next) {

  /**
   * A place among all that was appended to a job.
   *
   * @param append which of the appends
   * @param passed prompts of it that are before this place
   */
  public record Place(long append, int passed) {

    public static final Place START = new Place(0, 0);
  }

  /**
   * A prompt.
   *
   * @param running whether a worker holds it
   * @param payload as given to {@link NewPrompt}
   * @param next the place behind it
   */
  public record Prompt(long offset, boolean running, ByteString payload, Place next) {}
}
