package io.bitloom.coordinator.api;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.grpc.GrpcErrors;
import io.bitloom.common.prompt.PromptRules;
import io.bitloom.coordinator.auth.Caller;
import io.bitloom.coordinator.dispatch.Arrivals;
import io.bitloom.coordinator.dispatch.ModelRegistry;
import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.JobQueue;
import io.bitloom.coordinator.queue.NewPrompt;
import io.bitloom.v1.AppendPromptsRequest;
import io.bitloom.v1.AppendPromptsResponse;
import io.bitloom.v1.Job;
import io.bitloom.v1.Model;
import io.bitloom.v1.Prompt;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;

/**
 * One AppendPrompts call. The next message is asked for when the one before is in the queue, so a
 * caller is never faster than Redis and a call holds one message.
 */
final class AppendCall implements StreamObserver<AppendPromptsRequest> {

  /** What the first message leads to: the job, and the model that fills its prompts' defaults. */
  private record Target(String jobId, Job job, Model model) {}

  private final ServerCallStreamObserver<AppendPromptsResponse> caller;
  private final JobQueue queue;
  private final JobAccess access;
  private final Quotas quotas;
  private final Caller owner = Caller.current();
  private final ModelRegistry models;
  private final JobRules rules;
  private final Arrivals.Call arrivals;
  private final Executor threads;

  private CompletionStage<Target> target;
  private long nextOffset;
  private boolean chunkInFlight;
  private boolean halfClosed;
  private boolean ended;

  AppendCall(
      ServerCallStreamObserver<AppendPromptsResponse> caller,
      JobQueue queue,
      JobAccess access,
      Quotas quotas,
      ModelRegistry models,
      JobRules rules,
      Arrivals arrivals,
      Executor threads) {
    this.caller = caller;
    this.queue = queue;
    this.access = access;
    this.quotas = quotas;
    this.models = models;
    this.rules = rules;
    this.arrivals = arrivals.begin();
    this.threads = threads;
    caller.disableAutoRequest();
    caller.setOnCancelHandler(this::end);
    caller.request(1);
  }

  @Override
  public void onNext(AppendPromptsRequest chunk) {
    synchronized (this) {
      if (ended) {
        return;
      }
      chunkInFlight = true;
      if (target == null) {
        target = CompletableFuture.completedStage(chunk.getName()).thenCompose(this::find);
      }
    }
    target
        .thenComposeAsync(found -> append(found, chunk), threads)
        .whenComplete((appended, error) -> chunkDone(appended, error));
  }

  private CompletionStage<Target> find(String name) {
    return access
        .find(owner, name)
        .thenCompose(
            record -> {
              Job job = Jobs.specOf(record);
              return models
                  .find(job.getModel())
                  .thenApply(model -> new Target(record.id(), job, model));
            });
  }

  private CompletionStage<Long> append(Target target, AppendPromptsRequest chunk) {
    rules.check(chunk);
    List<NewPrompt> prompts = resolved(target, chunk);
    prompts.forEach(prompt -> arrivals.into(prompt.bucket()));
    return quotas
        .admit(owner, target.jobId(), chunk.getOffset(), prompts.size())
        .thenCompose(done -> queue.append(target.jobId(), chunk.getOffset(), prompts));
  }

  private List<NewPrompt> resolved(Target target, AppendPromptsRequest chunk) {
    List<NewPrompt> prompts = new ArrayList<>(chunk.getPromptsCount());
    List<FieldViolation> violations = new ArrayList<>();
    List<String> sizes = target.model().getSizesList();
    for (Prompt prompt : chunk.getPromptsList()) {
      int index = prompts.size();
      PromptRules.Resolved resolved =
          PromptRules.resolve(
              prompt,
              target.job().getDefaults(),
              target.model().getDefaults(),
              sizes,
              target.jobId(),
              chunk.getOffset() + index);
      rules.check(resolved, target.model()).stream()
          .map(violation -> violation.in("prompts[" + index + "]"))
          .forEach(violations::add);
      prompts.add(
          new NewPrompt(
              new Bucket(target.job().getModel(), resolved.schedule().id()),
              resolved.prompt().getNumImages(),
              resolved.prompt().toByteString()));
    }
    JobRules.throwIfAny(violations);
    return prompts;
  }

  private void chunkDone(Long appended, Throwable error) {
    boolean complete;
    synchronized (this) {
      if (ended) {
        return;
      }
      chunkInFlight = false;
      if (error == null) {
        nextOffset = appended;
      }
      complete = halfClosed;
    }
    if (error != null) {
      fail(error);
    } else if (complete) {
      complete();
    } else {
      caller.request(1);
    }
  }

  @Override
  public void onCompleted() {
    arrivals.end();
    boolean complete;
    synchronized (this) {
      halfClosed = true;
      complete = !chunkInFlight && !ended;
    }
    if (complete) {
      complete();
    }
  }

  private void complete() {
    if (target == null) {
      fail(BitloomException.invalid("name", "", "must name the job in the first message"));
      return;
    }
    end();
    caller.onNext(AppendPromptsResponse.newBuilder().setNextOffset(nextOffset).build());
    caller.onCompleted();
  }

  private void fail(Throwable error) {
    end();
    caller.onError(GrpcErrors.unwrap(error));
  }

  @Override
  public void onError(Throwable broken) {
    end();
  }

  private synchronized void end() {
    ended = true;
    arrivals.end();
  }
}
