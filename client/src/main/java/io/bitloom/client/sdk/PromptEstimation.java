package io.bitloom.client.sdk;

import io.bitloom.v1.EstimatePromptsRequest;
import io.bitloom.v1.EstimatePromptsResponse;
import io.bitloom.v1.Job;
import io.bitloom.v1.Prompt;
import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import java.util.Iterator;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * Asks what prompts would take: one client stream, which is sent again from its start when the
 * connection broke.
 */
final class PromptEstimation {

  private static final int MESSAGE_PROMPTS = 200;

  private final Connection connection;
  private final Backoff backoff;

  PromptEstimation(Connection connection) {
    this.connection = connection;
    this.backoff = new Backoff(connection);
  }

  /**
   * @param prompts opened anew, and closed, for each attempt
   */
  EstimatePromptsResponse of(Job job, Supplier<Stream<Prompt>> prompts) {
    while (true) {
      try (Stream<Prompt> attempt = prompts.get()) {
        EstimatePromptsResponse estimate = send(job, attempt.iterator());
        backoff.succeeded();
        return estimate;
      } catch (StatusException e) {
        backoff.waitAfter(e);
      } catch (InterruptedException e) {
        throw Backoff.interrupted(e);
      }
    }
  }

  private EstimatePromptsResponse send(Job job, Iterator<Prompt> prompts)
      throws StatusException, InterruptedException {
    BlockingClientCall<EstimatePromptsRequest, EstimatePromptsResponse> call =
        connection.stub().estimatePrompts();
    EstimatePromptsRequest.Builder message = EstimatePromptsRequest.newBuilder().setJob(job);
    boolean taken = true;
    do {
      while (prompts.hasNext() && message.getPromptsCount() < MESSAGE_PROMPTS) {
        message.addPrompts(prompts.next());
      }
      taken = call.write(message.build());
      message.clear();
    } while (taken && prompts.hasNext());
    call.halfClose();
    return call.read();
  }
}
