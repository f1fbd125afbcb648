package io.bitloom.coordinator.http;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.protobuf.MessageOrBuilder;
import com.google.protobuf.ProtocolMessageEnum;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.json.EnumNames;
import io.bitloom.common.json.MessageJson;
import io.bitloom.coordinator.auth.Caller;
import io.bitloom.coordinator.jobs.ClusterState;
import io.bitloom.coordinator.jobs.JobDirectory;
import io.bitloom.coordinator.jobs.Results;
import io.bitloom.coordinator.jobs.Submissions;
import io.bitloom.v1.GetClusterResponse;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobState;
import io.bitloom.v1.ListJobsRequest;
import io.bitloom.v1.ListJobsResponse;
import io.bitloom.v1.ListModelsResponse;
import io.bitloom.v1.ListPromptsRequest;
import io.bitloom.v1.PromptState;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Jobs, their prompts, models and the cluster as JSON. */
public final class JsonApi {

  private static final int DEADLINE_SECONDS = 5;

  private final JobDirectory jobs;
  private final Results results;
  private final Submissions submissions;
  private final ClusterState cluster;

  public JsonApi(
      JobDirectory jobs, Results results, Submissions submissions, ClusterState cluster) {
    this.jobs = jobs;
    this.results = results;
    this.submissions = submissions;
    this.cluster = cluster;
  }

  /** How a job is changed. */
  private interface Change {
    CompletionStage<Job> of(Caller caller, String name);
  }

  void addTo(Router router, HttpAccess access) {
    router.get("/api/v1/jobs").handler(access::clients).handler(this::list);
    router.get("/api/v1/jobs/:job").handler(access::clients).handler(this::get);
    router.get("/api/v1/jobs/:job/prompts").handler(access::clients).handler(this::prompts);
    change(router, access, "pause", jobs::pause);
    change(router, access, "resume", jobs::resume);
    change(router, access, "cancel", jobs::cancel);
    router.get("/api/v1/models").handler(access::clients).handler(this::models);
    router
        .get("/api/v1/cluster")
        .handler(access::operators)
        .handler(context -> send(context, cluster.now(HttpAccess.caller(context))));
  }

  private static void change(Router router, HttpAccess access, String verb, Change change) {
    router
        .post("/api/v1/jobs/:job/" + verb)
        .handler(HttpAccess::fromOurPages)
        .handler(access::clients)
        .handler(context -> send(context, change.of(HttpAccess.caller(context), name(context))));
  }

  private void list(RoutingContext context) {
    ListJobsRequest.Builder request = ListJobsRequest.newBuilder();
    request.setPageSize(pageSize(context));
    request.setPageToken(context.request().getParam("page_token", ""));
    request.setFilter(context.request().getParam("filter", ""));
    request.addAllStates(states(context, JobState.class, "must be a state of a job"));
    send(context, jobs.list(HttpAccess.caller(context), request.build()));
  }

  private void get(RoutingContext context) {
    send(context, jobs.get(HttpAccess.caller(context), name(context)));
  }

  private void prompts(RoutingContext context) {
    ListPromptsRequest.Builder request = ListPromptsRequest.newBuilder();
    request.setName(name(context));
    request.setPageSize(pageSize(context));
    request.setPageToken(context.request().getParam("page_token", ""));
    request.setFilter(context.request().getParam("filter", ""));
    request.addAllStates(states(context, PromptState.class, "must be a state of a prompt"));
    request.addAllCustomIds(context.queryParam("custom_id"));
    send(context, results.prompts(HttpAccess.caller(context), request.build()));
  }

  private void models(RoutingContext context) {
    send(
        context,
        submissions
            .models()
            .thenApply(all -> ListModelsResponse.newBuilder().addAllModels(all).build()));
  }

  private static String name(RoutingContext context) {
    return "jobs/" + context.pathParam("job");
  }

  /** 0 if nothing is asked for. */
  private static int pageSize(RoutingContext context) {
    String text = context.request().getParam("page_size", "");
    try {
      return text.isEmpty() ? 0 : Integer.parseInt(text);
    } catch (NumberFormatException e) {
      throw BitloomException.invalid("page_size", text, "must be a whole number");
    }
  }

  /** {@code ?state=running,paused}, or several of that; empty ones say nothing. */
  private static <E extends Enum<E> & ProtocolMessageEnum> List<E> states(
      RoutingContext context, Class<E> type, String rule) {
    return context.queryParam("state").stream()
        .flatMap(states -> Arrays.stream(states.split(",")))
        .filter(state -> !state.isBlank())
        .map(
            state ->
                EnumNames.find(type, state.strip())
                    .orElseThrow(() -> BitloomException.invalid("state", state, rule)))
        .toList();
  }

  /** What the jobs page shows, of all tenants: the newest jobs, and the cluster. */
  Future<JsonObject> state(Vertx vertx, Caller operator) {
    return Future.all(
            future(vertx, jobs.list(operator, ListJobsRequest.getDefaultInstance())),
            future(vertx, cluster.now(operator)))
        .map(
            all -> {
              JsonObject state = MessageJson.of(all.<GetClusterResponse>resultAt(1));
              ListJobsResponse listed = all.resultAt(0);
              state.add("jobs", MessageJson.of(listed).get("jobs"));
              return state;
            });
  }

  private static <M extends MessageOrBuilder> void send(
      RoutingContext context, CompletionStage<M> answer) {
    Future<JsonElement> body = future(context.vertx(), answer).map(MessageJson::of);
    body.onComplete(
        done -> {
          if (done.succeeded()) {
            HttpJson.send(context, 200, done.result());
          } else {
            HttpErrors.send(context, done.cause());
          }
        });
  }

  /** The same on the event loop, or an error if it takes too long. */
  private static <T> Future<T> future(Vertx vertx, CompletionStage<T> stage) {
    return Future.fromCompletionStage(stage, vertx.getOrCreateContext())
        .timeout(DEADLINE_SECONDS, TimeUnit.SECONDS)
        .recover(
            error ->
                Future.failedFuture(
                    error instanceof TimeoutException
                        ? new BitloomException(
                            ErrorCode.DEADLINE_EXCEEDED,
                            "no answer within " + DEADLINE_SECONDS + " seconds")
                        : error));
  }
}
