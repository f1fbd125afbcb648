package io.bitloom.coordinator.auth;

import static io.bitloom.coordinator.TestCoordinator.prompts;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.error.Exhausted;
import io.bitloom.common.grpc.GrpcErrors;
import io.bitloom.common.secret.Secret;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.coordinator.config.AccessConfig;
import io.bitloom.coordinator.config.LimitsConfig;
import io.bitloom.v1.ConnectRequest;
import io.bitloom.v1.ConnectResponse;
import io.bitloom.v1.CreateJobRequest;
import io.bitloom.v1.GetJobRequest;
import io.bitloom.v1.GetPromptRequest;
import io.bitloom.v1.Hello;
import io.bitloom.v1.Job;
import io.bitloom.v1.ListJobsRequest;
import io.bitloom.v1.ListPromptsRequest;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.ReadResultsRequest;
import io.bitloom.v1.UpdateJobRequest;
import io.bitloom.v1.WatchJobRequest;
import io.bitloom.v1.WorkerModel;
import io.bitloom.v1.WorkerServiceGrpc;
import io.grpc.stub.StreamObserver;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** Callers with tokens: who they are, what they may, how much. */
class TenantsIT {

  @TempDir static Path directory;
  private static TestCoordinator coordinator;

  @BeforeAll
  static void start() throws Exception {
    String file =
        String.format(
            Locale.ROOT,
            """
            {"tenants": [
              {"name": "art", "weight": 2, "tokens": [{"sha256": "%s", "roles": ["client"]}],
               "limits": {"open_jobs": 3, "queued_prompts": 50, "prompts_per_second": 1000}},
              {"name": "law", "tokens": [{"sha256": "%s", "roles": ["client"]}]},
              {"name": "ops", "tokens": [
                {"sha256": "%s", "roles": ["operator"]}, {"sha256": "%s", "roles": ["worker"]}]}]}
            """,
            sha256("art"),
            sha256("law"),
            sha256("ops"),
            sha256("gpu"));
    Path tenants = Files.writeString(directory.resolve("tenants.json"), file);
    coordinator =
        TestCoordinator.start(
            directory,
            new AccessConfig(Optional.of(tenants), false, false, Optional.empty()),
            new LimitsConfig(
                100, 1 << 10, 2, 1 << 10, 1 << 20, 1000, 1_000_000, 1_000_000, 1 << 20, 1 << 20),
            Optional.empty());
    assertTrue(hello("gpu").hasWelcome());
  }

  @AfterAll
  static void stop() {
    coordinator.close();
  }

  private static String sha256(String token) throws Exception {
    byte[] bytes = token.getBytes(StandardCharsets.UTF_8);
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
  }

  /** Announces a model and returns what the coordinator answers. */
  private static ConnectResponse hello(String token) throws Exception {
    CompletableFuture<ConnectResponse> answer = new CompletableFuture<>();
    StreamObserver<ConnectRequest> stream =
        WorkerServiceGrpc.newStub(coordinator.withToken(token).calls())
            .connect(
                new StreamObserver<>() {
                  @Override
                  public void onNext(ConnectResponse response) {
                    answer.complete(response);
                  }

                  @Override
                  public void onError(Throwable error) {
                    answer.completeExceptionally(error);
                  }

                  @Override
                  public void onCompleted() {}
                });
    WorkerModel model = WorkerModel.newBuilder().setName("fake").addSizes("0.06M").build();
    stream.onNext(
        ConnectRequest.newBuilder()
            .setHello(
                Hello.newBuilder()
                    .setWorkerId("w")
                    .addModels(model)
                    .setInstanceSecret(Secret.draw().text()))
            .build());
    try {
      return answer.get(TestCoordinator.PATIENCE.toSeconds(), TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw GrpcErrors.fromStatus(e);
    } finally {
      if (!answer.isCompletedExceptionally()) {
        stream.onCompleted();
      }
    }
  }

  private static BitloomException error(Executable call) {
    return GrpcErrors.fromStatus(assertThrows(RuntimeException.class, call));
  }

  @Test
  void nobodyIsLetInWithoutATokenOrWithAWrongOne() {
    ListJobsRequest list = ListJobsRequest.getDefaultInstance();
    for (String token : new String[] {null, "", "wrong", "ART"}) {
      BitloomException e = error(() -> coordinator.withToken(token).batch().listJobs(list));
      assertEquals(ErrorCode.UNAUTHENTICATED, e.code());
    }
    assertEquals(
        ErrorCode.PERMISSION_DENIED,
        error(() -> coordinator.withToken("gpu").batch().listJobs(list)).code());
  }

  @Test
  void aClientIsNoWorker() {
    assertEquals(ErrorCode.PERMISSION_DENIED, error(() -> hello("art")).code());
  }

  @Test
  void aTenantSeesOnlyItsOwnJobsAndAnOperatorAll() {
    TestCoordinator art = coordinator.withToken("art");
    TestCoordinator law = coordinator.withToken("law");
    Job job = law.newJob();
    assertEquals("law", job.getTenant());
    String name = job.getName();
    List<Executable> calls =
        List.of(
            () -> art.job(name),
            () -> art.append(name, 0, prompts(1)),
            () -> art.seal(name),
            () -> art.batch().watchJob(WatchJobRequest.newBuilder().setName(name).build()).next(),
            () ->
                art.batch()
                    .readResults(ReadResultsRequest.newBuilder().setName(name).build())
                    .next());
    for (Executable call : calls) {
      assertEquals(ErrorCode.JOB_NOT_FOUND, error(call).code());
    }
    ListJobsRequest list = ListJobsRequest.getDefaultInstance();
    assertTrue(
        art.batch().listJobs(list).getJobsList().stream()
            .noneMatch(listed -> listed.getName().equals(name)));
    assertTrue(
        coordinator.withToken("ops").batch().listJobs(list).getJobsList().stream()
            .anyMatch(listed -> listed.getName().equals(name)));
    assertEquals(0, law.job(name).getCounts().getAppended());
  }

  @Test
  void promptsAndNamesOfAnotherTenantsJobAreNotThere() {
    TestCoordinator law = coordinator.withToken("law");
    String name = law.newJob().getName();
    law.append(name, 0, prompts(1));
    ListPromptsRequest list = ListPromptsRequest.newBuilder().setName(name).build();
    GetPromptRequest get =
        GetPromptRequest.newBuilder().setName(name).setCustomId("prompt-0").build();
    UpdateJobRequest update =
        UpdateJobRequest.newBuilder()
            .setJob(Job.newBuilder().setName(name).setDisplayName("mine"))
            .build();
    var art = coordinator.withToken("art").batch();
    for (Executable call :
        List.<Executable>of(
            () -> art.listPrompts(list), () -> art.getPrompt(get), () -> art.updateJob(update))) {
      assertEquals(ErrorCode.JOB_NOT_FOUND, error(call).code());
    }
    var ops = coordinator.withToken("ops").batch();
    assertEquals(1, ops.listPrompts(list).getPromptsCount());
    assertEquals("prompt-0", ops.getPrompt(get).getPrompt().getCustomId());
    assertEquals("mine", ops.updateJob(update).getJob().getDisplayName());
    law.cancel(name);
  }

  @Test
  void theSameRequestIdOfTwoTenantsIsTwoJobs() {
    CreateJobRequest request = CreateJobRequest.newBuilder().setRequestId("nightly").build();
    Job first = coordinator.withToken("law").batch().createJob(request).getJob();
    Job second = coordinator.withToken("ops").batch().createJob(request).getJob();
    assertTrue(!first.getName().equals(second.getName()));
  }

  @Test
  void limitsAreNamedWithTheirValueAndATimeToComeBack() {
    TestCoordinator art = coordinator.withToken("art");
    String first = art.newJob().getName();
    String second = art.newJob().getName();
    String third = art.newJob().getName();
    Exhausted jobs = error(art::newJob).exhausted().orElseThrow();
    assertEquals("open_jobs", jobs.limit());
    assertEquals("tenants/art", jobs.subject());
    assertEquals(3, jobs.value());
    assertTrue(jobs.retryAfter().toMillis() > 0);

    art.append(first, 0, prompts(30));
    BitloomException full = error(() -> art.append(second, 0, prompts(30)));
    assertEquals(ErrorCode.LIMIT_EXCEEDED, full.code());
    assertEquals("queued_prompts", full.exhausted().orElseThrow().limit());
    assertEquals(50, full.exhausted().orElseThrow().value());
    assertEquals(0, art.job(second).getCounts().getAppended());
    art.append(second, 0, prompts(20));

    for (String name : List.of(first, second, third)) {
      art.cancel(name);
    }
    art.cancel(art.newJob().getName());
  }

  @Test
  void promptsAreNoLongerAndAskForNoMoreThanTheCoordinatorAllows() {
    TestCoordinator law = coordinator.withToken("law");
    String name = law.newJob().getName();
    Prompt fox = Prompt.newBuilder().setPrompt("a fox").build();
    for (Prompt bad :
        List.of(
            fox.toBuilder().setPrompt("x".repeat(101)).build(),
            fox.toBuilder().setNumImages(3).build())) {
      assertEquals(ErrorCode.INVALID_FIELD, error(() -> law.append(name, 0, List.of(bad))).code());
    }
    law.append(name, 0, List.of(fox.toBuilder().setNumImages(2).build()));
    GetJobRequest get = GetJobRequest.newBuilder().setName(name).build();
    assertEquals(1, law.batch().getJob(get).getJob().getCounts().getAppended());
    law.cancel(name);
  }

  @Test
  void theHttpPortAsksForATokenToo() throws Exception {
    assertEquals(401, status("/api/v1/jobs", null));
    assertEquals(401, status("/jobs", "Bearer wrong"));
    assertEquals(401, status("/bitloom.v1.BatchService/GetJob", null));
    assertEquals(401, status("/api/openapi.json", null));
    assertEquals(200, status("/api/openapi.json", "Bearer law"));
    assertEquals(200, status("/health/live", null));
    assertEquals(200, status("/api/v1/jobs", "Bearer law"));
    assertEquals(403, status("/api/v1/cluster", "Bearer law"));
    assertEquals(403, status("/metrics", "Bearer law"));
    assertEquals(403, status("/api/v1/training", "Bearer law"));
    assertEquals(403, status("/training", "Bearer law"));
    assertEquals(401, status("/pages/pages.js", null));
    String basic = Base64.getEncoder().encodeToString("me:ops".getBytes(StandardCharsets.UTF_8));
    assertEquals(200, status("/jobs", "Basic " + basic));
    assertEquals(200, status("/api/v1/cluster", "Basic " + basic));
    Job job = coordinator.withToken("art").newJob();
    assertEquals(404, status("/api/v1/" + job.getName(), "Bearer law"));
    assertEquals(200, status("/api/v1/" + job.getName(), "Bearer art"));
    coordinator.withToken("art").cancel(job.getName());
  }

  private static int status(String path, String authorization) throws Exception {
    HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(coordinator.http(path)));
    if (authorization != null) {
      request.header("Authorization", authorization);
    }
    return HttpClient.newHttpClient()
        .send(request.build(), HttpResponse.BodyHandlers.discarding())
        .statusCode();
  }
}
