package io.bitloom.coordinator.http;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.protobuf.MessageOrBuilder;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.json.MessageJson;
import io.bitloom.coordinator.auth.Caller;
import io.bitloom.coordinator.http.json.HttpErrors;
import io.bitloom.coordinator.http.json.HttpJson;
import io.bitloom.coordinator.jobs.ClusterState;
import io.bitloom.coordinator.jobs.JobDirectory;
import io.bitloom.v1.GetClusterResponse;
import io.bitloom.v1.ListJobsRequest;
import io.bitloom.v1.ListJobsResponse;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** The cluster as JSON, and what the pages show of it. */
public final class JsonApi {

  private static final int DEADLINE_SECONDS = 5;

  private final JobDirectory jobs;
  private final ClusterState cluster;

  public JsonApi(JobDirectory jobs, ClusterState cluster) {
    this.jobs = jobs;
    this.cluster = cluster;
  }

  void addTo(Router router, HttpAccess access) {
    router
        .get("/api/v1/cluster")
        .handler(access::operators)
        .handler(context -> send(context, cluster.now(HttpAccess.caller(context))));
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
