package io.bitloom.coordinator.api;

import static io.bitloom.coordinator.TestCoordinator.awaitTrue;
import static io.bitloom.coordinator.TestCoordinator.prompts;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.grpc.GrpcErrors;
import io.bitloom.v1.BatchServiceGrpc;
import io.bitloom.v1.CancelJobRequest;
import io.bitloom.v1.CreateJobRequest;
import io.bitloom.v1.GetJobRequest;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobCounts;
import io.bitloom.v1.ListJobsRequest;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.ReadResultsRequest;
import io.bitloom.v1.ReadResultsResponse;
import io.bitloom.v1.Sampling;
import io.bitloom.v1.SealJobRequest;
import io.bitloom.v1.WatchJobRequest;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every bad input is refused by field and value, and changes nothing. */
class BadRequestsIT extends ApiFixture {

  private static Arguments bad(String field, String value, Consumer<CreateJobRequest.Builder> set) {
    return Arguments.of(field, value, set);
  }

  static Stream<Arguments> badJobs() {
    return Stream.of(
        bad("request_id", "129 characters", r -> r.setRequestId("x".repeat(129))),
        bad("request_id", "a\\u0007", r -> r.setRequestId("a\u0007")),
        bad(
            "job.display_name",
            "201 characters",
            r -> r.getJobBuilder().setDisplayName("x".repeat(201))),
        bad("job.display_name", "a\\u000ab", r -> r.getJobBuilder().setDisplayName("a\nb")),
        bad("job.model", "161 characters", r -> r.getJobBuilder().setModel("x".repeat(161))),
        bad("job.priority", "10", r -> r.getJobBuilder().setPriority(10)),
        bad("job.priority", "-1", r -> r.getJobBuilder().setPriority(-1)),
        bad(
            "job.labels",
            "33 labels",
            r ->
                LongStream.range(0, 33)
                    .forEach(i -> r.getJobBuilder().putLabels("label-" + i, ""))),
        bad("job.labels", "", r -> r.getJobBuilder().putLabels("", "x")),
        bad(
            "job.labels[a]",
            "129 characters",
            r -> r.getJobBuilder().putLabels("a", "x".repeat(129))),
        bad("job.labels", "129 characters", r -> r.getJobBuilder().putLabels("x".repeat(129), "")),
        bad(
            "job.defaults.prompt",
            "a fox",
            r -> r.getJobBuilder().getDefaultsBuilder().setPrompt("a fox")),
        bad(
            "job.defaults.custom_id",
            "id",
            r -> r.getJobBuilder().getDefaultsBuilder().setCustomId("id")),
        bad("job.defaults.size", "9M", r -> r.getJobBuilder().getDefaultsBuilder().setSize("9M")),
        bad(
            "job.defaults.sampling.top_p",
            "NaN",
            r -> r.getJobBuilder().getDefaultsBuilder().getSamplingBuilder().setTopP(Double.NaN)));
  }

  @ParameterizedTest
  @MethodSource("badJobs")
  void aBadJobIsRefusedByFieldAndValueAndNotMade(
      String field, String value, Consumer<CreateJobRequest.Builder> change) {
    CreateJobRequest.Builder request = CreateJobRequest.newBuilder();
    change.accept(request);
    String before = newestJob();
    assertError(
        ErrorCode.INVALID_FIELD, field, value, error(() -> batch().createJob(request.build())));
    assertEquals(before, newestJob());
  }

  private static String newestJob() {
    return batch()
        .listJobs(ListJobsRequest.newBuilder().setPageSize(1).build())
        .getJobsList()
        .stream()
        .map(Job::getName)
        .findFirst()
        .orElse("");
  }

  private static Arguments badPrompt(String field, String value, Prompt.Builder prompt) {
    return Arguments.of(field, value, prompt.build());
  }

  private static Prompt.Builder fox() {
    return Prompt.newBuilder().setPrompt("a fox");
  }

  static Stream<Arguments> badPrompts() {
    return Stream.of(
        badPrompt("prompt", "", fox().clearPrompt()),
        badPrompt("prompt", "4001 characters", fox().setPrompt("x".repeat(4001))),
        badPrompt("custom_id", "257 characters", fox().setCustomId("x".repeat(257))),
        badPrompt("prompt", "\\u0000", fox().setPrompt("\0")),
        badPrompt("custom_id", "a\\u0000", fox().setCustomId("a\0")),
        badPrompt("aspect_ratio", "3x2", fox().setAspectRatio("3x2")),
        badPrompt("h_div_w", "-Infinity", fox().setHDivW(Double.NEGATIVE_INFINITY)),
        badPrompt("size", "2M", fox().setSize("2M")),
        badPrompt("size", "1M", fox().setSize("1M")),
        badPrompt("num_images", "17", fox().setNumImages(17)),
        badPrompt("num_images", "-1", fox().setNumImages(-1)),
        badPrompt("format", "77", fox().setFormatValue(77)),
        badPrompt(
            "sampling.guidance", "31.0", fox().setSampling(Sampling.newBuilder().addGuidance(31))),
        badPrompt(
            "sampling.temperature",
            "0.0",
            fox().setSampling(Sampling.newBuilder().addTemperature(0))),
        badPrompt("sampling.top_p", "0.0", fox().setSampling(Sampling.newBuilder().setTopP(0))));
  }

  @ParameterizedTest
  @MethodSource("badPrompts")
  void aBadPromptIsRefusedByFieldAndValueAndChangesNothing(
      String field, String value, Prompt prompt) {
    String job = coordinator.newJob().getName();
    BitloomException e = error(() -> coordinator.append(job, 0, List.of(fox().build(), prompt)));
    assertError(ErrorCode.INVALID_FIELD, "prompts[1]." + field, value, e);
    assertEquals(JobCounts.getDefaultInstance(), coordinator.job(job).getCounts());
  }

  @Test
  void tooManyPromptsInOneMessageAreRefused() {
    String job = coordinator.newJob().getName();
    List<Prompt> many = java.util.Collections.nCopies(10_001, fox().build());
    assertError(
        ErrorCode.INVALID_FIELD,
        "prompts",
        "10001 prompts",
        error(() -> coordinator.append(job, 0, many)));
    assertError(
        ErrorCode.INVALID_FIELD,
        "offset",
        "-1",
        error(() -> coordinator.append(job, -1, many.subList(0, 1))));
    assertEquals(0, appended(job));
  }

  // Names

  @ParameterizedTest
  @ValueSource(strings = {"", "jobs/", "job/x", "jobs/a/b", "jobs/../x", "jobs/ä", "JOBS/x"})
  void whatIsNotTheNameOfAJobIsRefusedEverywhere(String name) {
    List<Executable> calls =
        List.of(
            () -> batch().getJob(GetJobRequest.newBuilder().setName(name).build()),
            () -> batch().sealJob(SealJobRequest.newBuilder().setName(name).build()),
            () -> batch().cancelJob(CancelJobRequest.newBuilder().setName(name).build()),
            () -> batch().watchJob(WatchJobRequest.newBuilder().setName(name).build()).next(),
            () -> batch().readResults(ReadResultsRequest.newBuilder().setName(name).build()).next(),
            () -> coordinator.append(name, 0, prompts(1)));
    for (Executable call : calls) {
      assertError(ErrorCode.INVALID_FIELD, "name", name, error(call));
    }
  }

  @Test
  void aJobThatIsNotThereIsNotFoundEverywhere() {
    String name = "jobs/nowhere";
    List<Executable> calls =
        List.of(
            () -> batch().getJob(GetJobRequest.newBuilder().setName(name).build()),
            () -> batch().sealJob(SealJobRequest.newBuilder().setName(name).build()),
            () -> batch().cancelJob(CancelJobRequest.newBuilder().setName(name).build()),
            () -> batch().watchJob(WatchJobRequest.newBuilder().setName(name).build()).next(),
            () -> batch().readResults(ReadResultsRequest.newBuilder().setName(name).build()).next(),
            () ->
                batch()
                    .readResults(
                        ReadResultsRequest.newBuilder().setName(name).setFollow(true).build())
                    .next(),
            () -> coordinator.append(name, 0, prompts(1)));
    for (Executable call : calls) {
      assertEquals(ErrorCode.JOB_NOT_FOUND, error(call).code());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"x", "-1", "123", "0-5", "999999999999999999999999"})
  void aCursorThatIsNotOfThisJobIsRefused(String cursor) {
    String name = coordinator.newJob().getName();
    ReadResultsRequest request =
        ReadResultsRequest.newBuilder().setName(name).setAfterCursor(cursor).build();
    assertError(
        ErrorCode.INVALID_FIELD,
        "after_cursor",
        cursor,
        error(() -> batch().readResults(request).next()));
  }

  @Test
  void aBadPageOrStateIsRefused() {
    assertError(
        ErrorCode.INVALID_FIELD,
        "page_size",
        "1001",
        error(() -> batch().listJobs(ListJobsRequest.newBuilder().setPageSize(1001).build())));
    assertError(
        ErrorCode.INVALID_FIELD,
        "page_token",
        "what?",
        error(() -> batch().listJobs(ListJobsRequest.newBuilder().setPageToken("what?").build())));
    assertError(
        ErrorCode.INVALID_FIELD,
        "states[0]",
        "99",
        error(() -> batch().listJobs(ListJobsRequest.newBuilder().addStatesValue(99).build())));
  }

  // Broken callers

  @Test
  void bytesThatAreNoMessageAreTheCallersFault() {
    for (byte[] bytes :
        List.of(
            new byte[] {(byte) 0xff, (byte) 0xff},
            new byte[] {0x0a, 0x02, (byte) 0xc3, 0x28},
            new byte[] {0x0a, 0x7f, 'x'})) {
      StatusRuntimeException e = assertThrows(StatusRuntimeException.class, () -> callWith(bytes));
      assertEquals(Status.Code.INVALID_ARGUMENT, e.getStatus().getCode(), e.toString());
      assertEquals(ErrorCode.MALFORMED_MESSAGE, GrpcErrors.fromStatus(e).code());
    }
  }

  private static Object callWith(byte[] bytes) {
    MethodDescriptor<byte[], Object> method =
        BatchServiceGrpc.getGetJobMethod().toBuilder(
                new MethodDescriptor.Marshaller<byte[]>() {
                  @Override
                  public InputStream stream(byte[] message) {
                    return new ByteArrayInputStream(message);
                  }

                  @Override
                  public byte[] parse(InputStream stream) {
                    throw new UnsupportedOperationException();
                  }
                },
                new MethodDescriptor.Marshaller<Object>() {
                  @Override
                  public InputStream stream(Object message) {
                    throw new UnsupportedOperationException();
                  }

                  @Override
                  public Object parse(InputStream stream) {
                    return stream;
                  }
                })
            .build();
    return ClientCalls.blockingUnaryCall(
        coordinator.channel(), method, io.grpc.CallOptions.DEFAULT, bytes);
  }

  @Test
  void aFollowerWhoseDeadlinePassesIsToldSoAndLeavesNothingBehind() throws Exception {
    String name = coordinator.newJob().getName();
    Iterator<ReadResultsResponse> stream =
        batch()
            .withDeadlineAfter(300, TimeUnit.MILLISECONDS)
            .readResults(ReadResultsRequest.newBuilder().setName(name).setFollow(true).build());
    assertEquals(ErrorCode.DEADLINE_EXCEEDED, error(stream::next).code());
    awaitTrue("the job still answers", () -> coordinator.job(name).getName().equals(name));
    assertFalse(coordinator.job(name).hasEndTime());
  }
}
