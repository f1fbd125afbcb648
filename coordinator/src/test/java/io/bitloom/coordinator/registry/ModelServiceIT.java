package io.bitloom.coordinator.registry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.bitloom.common.blobs.BlobDownload;
import io.bitloom.common.blobs.GrpcBlobs;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.grpc.GrpcErrors;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.v1.CreateJobRequest;
import io.bitloom.v1.CreateVersionRequest;
import io.bitloom.v1.CreateVersionResponse;
import io.bitloom.v1.DeleteLabelRequest;
import io.bitloom.v1.DeleteVersionRequest;
import io.bitloom.v1.GetVersionRequest;
import io.bitloom.v1.GetVersionResponse;
import io.bitloom.v1.Job;
import io.bitloom.v1.ListModelsRequest;
import io.bitloom.v1.ListVersionsRequest;
import io.bitloom.v1.Model;
import io.bitloom.v1.ModelVersion;
import io.bitloom.v1.ReadBlobRequest;
import io.bitloom.v1.RegisteredModel;
import io.bitloom.v1.SetLabelRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** Versions come into a cluster that keeps them in its directory, jobs name them, and they go. */
class ModelServiceIT {

  @TempDir static Path directory;
  private static TestCoordinator coordinator;

  /** Each test has a model of its own. */
  private final String name = "m-" + UUID.randomUUID();

  @BeforeAll
  static void start() throws Exception {
    coordinator = TestCoordinator.start(directory);
  }

  @AfterAll
  static void stop() {
    coordinator.close();
  }

  private static BitloomException error(Executable call) {
    return GrpcErrors.fromStatus(assertThrows(Exception.class, call));
  }

  private static RegisteredModel listed(String model) {
    return TestModel.service(coordinator)
        .listVersions(ListVersionsRequest.newBuilder().setModel(model).build())
        .getModels(0);
  }

  private static GetVersionResponse get(String version) {
    return TestModel.service(coordinator)
        .getVersion(GetVersionRequest.newBuilder().setVersion(version).build());
  }

  private static ByteString read(String version, String sha256, long offset) {
    ByteString[] all = {ByteString.EMPTY};
    TestModel.service(coordinator)
        .readBlob(
            ReadBlobRequest.newBuilder()
                .setVersion(version)
                .setSha256(sha256)
                .setOffset(offset)
                .build())
        .forEachRemaining(piece -> all[0] = all[0].concat(piece.getData()));
    return all[0];
  }

  private static boolean hasFile(String content) {
    return Files.exists(
        directory
            .resolve("models/sha256")
            .resolve(TestModel.sha256(ByteString.copyFromUtf8(content))));
  }

  private static Job job(String model, String requestId) {
    return coordinator
        .batch()
        .createJob(
            CreateJobRequest.newBuilder()
                .setJob(Job.newBuilder().setModel(model))
                .setRequestId(requestId)
                .build())
        .getJob();
  }

  private static Job job(String model) {
    return job(model, "");
  }

  private static void delete(String version) {
    TestModel.service(coordinator)
        .deleteVersion(DeleteVersionRequest.newBuilder().setVersion(version).build());
  }

  private static void label(String version, String label) {
    TestModel.service(coordinator)
        .setLabel(SetLabelRequest.newBuilder().setVersion(version).setLabel(label).build());
  }

  @Test
  void anUploadThatBrokeOffGoesOnWhereItStoodAndThenAllIsThere() throws Exception {
    ByteString weights = ByteString.copyFrom(new byte[700_000]);
    TestModel model = new TestModel(name, "zeros", Map.of("weights", weights));
    CreateVersionResponse begun = model.create(coordinator);
    String version = begun.getVersion().getName();
    String sha256 = TestModel.sha256(weights);
    assertFalse(begun.getVersion().hasCommitTime());
    assertEquals(0, begun.getMissing(0).getReceivedBytes());
    assertEquals(
        500_000,
        TestModel.upload(coordinator, version, sha256, 0, weights.substring(0, 500_000)).get());

    BitloomException early = error(() -> TestModel.commit(coordinator, version));
    assertEquals(ErrorCode.MODEL_INCOMPLETE, early.code());
    assertTrue(early.getMessage().startsWith("weights is missing"), early.getMessage());
    assertEquals(ErrorCode.MODEL_NOT_FOUND, error(() -> get(version)).code());
    assertEquals(ErrorCode.MODEL_NOT_FOUND, error(() -> job(version)).code());

    assertEquals(500_000, model.create(coordinator).getMissing(0).getReceivedBytes());
    assertEquals(
        ErrorCode.OFFSET_OUT_OF_RANGE,
        error(
                () ->
                    TestModel.upload(
                            coordinator, version, sha256, 600_000, weights.substring(600_000))
                        .get())
            .code());
    TestModel.upload(coordinator, version, sha256, 500_000, weights.substring(500_000)).get();
    assertEquals(List.of(), model.create(coordinator).getMissingList());
    assertTrue(TestModel.commit(coordinator, version, "latest").hasCommitTime());

    assertEquals(version, get(name).getVersion().getName());
    assertEquals(model.manifest(), get(name + "@latest").getManifest());
    assertEquals(weights, read(version, sha256, 0));
    assertEquals(weights.substring(699_990), read(version, sha256, 699_990));
    assertEquals(ByteString.EMPTY, read(version, sha256, 700_000));
  }

  @Test
  void bytesWithAnotherDigestAreRefusedAndForgotten() {
    TestModel model = TestModel.of(name, "x", "the weights");
    CreateVersionResponse begun = model.create(coordinator);
    String version = begun.getVersion().getName();
    String sha256 = begun.getMissing(0).getSha256();
    BitloomException refused =
        error(
            () ->
                TestModel.upload(
                        coordinator, version, sha256, 0, ByteString.copyFromUtf8("THE WEIGHTS"))
                    .get());
    assertEquals("data", refused.violations().get(0).field());
    assertEquals(0, model.create(coordinator).getMissing(0).getReceivedBytes());
    assertEquals(
        "offset",
        error(
                () ->
                    TestModel.upload(
                            coordinator,
                            version,
                            sha256,
                            0,
                            ByteString.copyFromUtf8("more than the weights"))
                        .get())
            .violations()
            .get(0)
            .field());
    assertEquals(
        "sha256",
        error(
                () ->
                    TestModel.upload(
                            coordinator, version, "0".repeat(64), 0, ByteString.copyFromUtf8("x"))
                        .get())
            .violations()
            .get(0)
            .field());
  }

  @Test
  void aJobKeepsTheVersionThatItsLabelPointedTo() throws Exception {
    ModelVersion first = TestModel.of(name, "first", "weights").push(coordinator, "latest");
    String request = UUID.randomUUID().toString();
    Job early = job(name, request);
    assertEquals(first.getName(), early.getModel());
    ModelVersion second = TestModel.of(name, "second", "weights").push(coordinator, "stable");
    assertEquals(first.getName(), job(name).getModel());
    assertEquals(second.getName(), job(name + "@stable").getModel());
    label(name + "@stable", "latest");

    assertEquals(second.getName(), job(name).getModel());
    assertEquals(first.getName(), job(name + "@" + first.getDigest()).getModel());
    assertEquals(early, job(name, request), "a repeated request means the job that it made");
    assertEquals(ErrorCode.REQUEST_ID_REUSED, error(() -> job(second.getName(), request)).code());
    assertEquals(first.getName(), coordinator.job(early.getName()).getModel());
    assertEquals(
        Map.of("latest", second.getName(), "stable", second.getName()),
        listed(name).getLabelsMap());

    BitloomException unknown = error(() -> job(name + "@nightly"));
    assertEquals(ErrorCode.MODEL_NOT_FOUND, unknown.code());
    assertTrue(unknown.getMessage().contains("latest, stable"), unknown.getMessage());
    assertEquals(ErrorCode.INVALID_FIELD, error(() -> job(name + "@")).code());
    TestModel.service(coordinator)
        .deleteLabel(DeleteLabelRequest.newBuilder().setModel(name).setLabel("latest").build());
    assertEquals(ErrorCode.MODEL_NOT_FOUND, error(() -> job(name)).code());
  }

  @Test
  void aVersionIsKnownWithoutAWorkerAndItsJobsWait() throws Exception {
    ModelVersion version = TestModel.of(name, "kept", "weights").push(coordinator, "latest");
    Model known =
        coordinator
            .batch()
            .listModels(ListModelsRequest.getDefaultInstance())
            .getModelsList()
            .stream()
            .filter(model -> model.getName().equals(version.getName()))
            .findFirst()
            .orElseThrow();
    assertEquals(0, known.getWorkers());
    assertEquals(version.getDigest(), known.getDigest());
    Job job = job(name);
    coordinator.append(job.getName(), 0, TestCoordinator.prompts(3));
    coordinator.seal(job.getName());
    assertTrue(coordinator.job(job.getName()).getWaitsForWorker());
    coordinator.cancel(job.getName());
  }

  @Test
  void aVersionGoesWithTheFilesThatNoOtherHas() throws Exception {
    ModelVersion first =
        TestModel.of(name, "one", "shared " + name, "one " + name).push(coordinator, "latest");
    TestModel.of(name, "two", "shared " + name, "two " + name).push(coordinator, "other");
    Job waiting = job(name);
    BitloomException used = error(() -> delete(first.getName()));
    assertEquals(ErrorCode.MODEL_IN_USE, used.code());
    coordinator.cancel(waiting.getName());
    assertEquals(
        ErrorCode.INVALID_FIELD, error(() -> delete(name + "@latest")).code(), "labels move");
    delete(first.getName());

    assertTrue(hasFile("shared " + name));
    assertFalse(hasFile("one " + name));
    assertTrue(hasFile("two " + name));
    assertEquals(1, listed(name).getVersionsCount());
    assertEquals(List.of("other"), List.copyOf(listed(name).getLabelsMap().keySet()));
    assertEquals(ErrorCode.MODEL_NOT_FOUND, error(() -> delete(first.getName())).code());
    delete(listed(name).getVersions(0).getName());
    assertFalse(hasFile("shared " + name));
    try (Stream<Path> files = Files.list(directory.resolve("models/sha256"))) {
      assertTrue(files.noneMatch(file -> file.toString().endsWith(".part")));
    }
  }

  @Test
  void aDownloadGoesOnAtAnotherCoordinatorWhenOneIsLost(@TempDir Path folder) throws Exception {
    byte[] bytes = new byte[4_000_000];
    new Random(1).nextBytes(bytes);
    ByteString weights = ByteString.copyFrom(bytes);
    TestModel model = new TestModel(name, "random", Map.of("weights", weights));
    CreateVersionResponse begun = model.create(coordinator);
    String version = begun.getVersion().getName();
    String sha256 = TestModel.sha256(weights);
    for (int offset = 0; offset < bytes.length; offset += 1_000_000) {
      ByteString piece = weights.substring(offset, offset + 1_000_000);
      TestModel.upload(coordinator, version, sha256, offset, piece).get();
    }
    TestModel.commit(coordinator, version);
    Path file = folder.resolve("weights");
    List<Long> offsets = new ArrayList<>();
    try (TestCoordinator lost = coordinator.second()) {
      BlobDownload.bring(
          file,
          sha256,
          bytes.length,
          offset -> {
            offsets.add(offset);
            TestCoordinator asked = offsets.size() == 1 ? lost : coordinator;
            return GrpcBlobs.read(asked.channel(), version, sha256, offset);
          },
          there -> {
            if (offsets.size() == 1 && there > 500_000) {
              lost.crash();
            }
          });
    }
    assertEquals(weights, ByteString.copyFrom(Files.readAllBytes(file)));
    assertEquals(2, offsets.size(), offsets.toString());
    assertTrue(offsets.get(1) > 500_000, offsets.toString());
  }

  @Test
  void aManifestMustFitItsFiles() {
    TestModel model = TestModel.of(name, "x", "weights");
    BitloomException wrong =
        error(
            () ->
                TestModel.service(coordinator)
                    .createVersion(
                        CreateVersionRequest.newBuilder()
                            .setManifest(model.manifest().toBuilder().clearFiles())
                            .build()));
    assertEquals("manifest.files", wrong.violations().get(0).field());
  }
}
