package io.bitloom.client.sdk;

import io.bitloom.common.error.BitloomException;
import io.bitloom.v1.CommitVersionRequest;
import io.bitloom.v1.CreateVersionRequest;
import io.bitloom.v1.CreateVersionResponse;
import io.bitloom.v1.DeleteLabelRequest;
import io.bitloom.v1.DeleteVersionRequest;
import io.bitloom.v1.GetVersionRequest;
import io.bitloom.v1.GetVersionResponse;
import io.bitloom.v1.ListVersionsRequest;
import io.bitloom.v1.ListVersionsResponse;
import io.bitloom.v1.LoadModelRequest;
import io.bitloom.v1.ModelServiceGrpc;
import io.bitloom.v1.ModelServiceGrpc.ModelServiceBlockingV2Stub;
import io.bitloom.v1.ModelVersion;
import io.bitloom.v1.PoolModels;
import io.bitloom.v1.RegisteredModel;
import io.bitloom.v1.SetLabelRequest;
import io.bitloom.v1.UnloadModelRequest;
import io.bitloom.v1.VersionManifest;
import io.grpc.Channel;
import io.grpc.StatusException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The models that a cluster keeps. A version is named {@code NAME}, {@code NAME@LABEL} or {@code
 * NAME@DIGEST}. Calls survive a coordinator that goes away, as those of {@link BitloomClient} do.
 */
public final class ModelClient {

  /** A store may look through all files before it answers. */
  private static final Duration LONG_DEADLINE = Duration.ofMinutes(10);

  private final Connection connection;
  private final Duration deadline;

  ModelClient(Connection connection, Duration deadline) {
    this.connection = connection;
    this.deadline = deadline;
  }

  /** Is told how far a transfer is. */
  public interface Progress {

    /**
     * @param file name in the model directory
     * @param bytes of it that are there
     */
    void at(String file, long bytes, long of);
  }

  /**
   * Brings a model directory into the cluster; what is there already is not sent again, and what
   * broke off before goes on.
   *
   * @param labels that point to the version from then on
   * @throws BitloomException {@code INVALID_FIELD} if the directory is no model or a file is not as
   *     its {@code model.json} says
   * @throws IOException if a file cannot be read, or a store does not take it
   */
  public ModelVersion push(Path directory, List<String> labels, Progress progress)
      throws IOException {
    return new ModelPush(this, connection, directory, progress).run(labels);
  }

  /**
   * Fetches a version as a model directory; repeated, goes on where it broke off.
   *
   * @param directory made if it is missing
   * @throws BitloomException {@code MODEL_NOT_FOUND}, or {@code INVALID_FIELD} if the directory has
   *     another model
   * @throws IOException if a file does not come, or cannot be written
   */
  public ModelVersion pull(String version, Path directory, Progress progress) throws IOException {
    return new ModelPull(this, directory, progress).run(version);
  }

  /** Begins a version, and says what is missing of it. */
  CreateVersionResponse create(VersionManifest manifest) {
    CreateVersionRequest request = CreateVersionRequest.newBuilder().setManifest(manifest).build();
    return call(deadline, service -> service.createVersion(request));
  }

  /** Ends a version. */
  ModelVersion commit(String version, List<String> labels) {
    CommitVersionRequest request =
        CommitVersionRequest.newBuilder().setVersion(version).addAllLabels(labels).build();
    return call(LONG_DEADLINE, service -> service.commitVersion(request)).getVersion();
  }

  /**
   * Models with their versions and labels, by name, and what pools have of them.
   *
   * @param model the only one; empty: all
   */
  public ListVersionsResponse list(String model) {
    ListVersionsRequest request = ListVersionsRequest.newBuilder().setModel(model).build();
    return call(deadline, service -> service.listVersions(request));
  }

  /**
   * Has all workers of a pool fetch a version and load it.
   *
   * @param pool empty: the default one
   */
  public PoolModels load(String version, String pool) {
    LoadModelRequest request =
        LoadModelRequest.newBuilder().setVersion(version).setPool(pool).build();
    return call(deadline, service -> service.loadModel(request)).getPool();
  }

  /** Has the workers of a pool unload a version, when they have drawn what they hold of it. */
  public PoolModels unload(String version, String pool) {
    UnloadModelRequest request =
        UnloadModelRequest.newBuilder().setVersion(version).setPool(pool).build();
    return call(deadline, service -> service.unloadModel(request)).getPool();
  }

  /** All of a version, and where its files are. */
  public GetVersionResponse get(String version) {
    GetVersionRequest request = GetVersionRequest.newBuilder().setVersion(version).build();
    return call(deadline, service -> service.getVersion(request));
  }

  /** Lets a label point to a version; jobs that were made keep theirs. */
  public RegisteredModel label(String version, String label) {
    SetLabelRequest request =
        SetLabelRequest.newBuilder().setVersion(version).setLabel(label).build();
    return call(deadline, service -> service.setLabel(request)).getModel();
  }

  /** Takes a label away. */
  public RegisteredModel deleteLabel(String model, String label) {
    DeleteLabelRequest request =
        DeleteLabelRequest.newBuilder().setModel(model).setLabel(label).build();
    return call(deadline, service -> service.deleteLabel(request)).getModel();
  }

  /** Deletes a version, and the files that no other one has. */
  public void delete(String version) {
    DeleteVersionRequest request = DeleteVersionRequest.newBuilder().setVersion(version).build();
    call(LONG_DEADLINE, service -> service.deleteVersion(request));
  }

  /** Where calls go. */
  Channel channel() {
    return connection.stub().getChannel();
  }

  private interface Call<T> {
    T on(ModelServiceBlockingV2Stub service) throws StatusException;
  }

  private <T> T call(Duration longest, Call<T> call) {
    return connection.call(
        longest,
        batch ->
            call.on(
                ModelServiceGrpc.newBlockingV2Stub(batch.getChannel())
                    .withDeadlineAfter(longest.toMillis(), TimeUnit.MILLISECONDS)));
  }
}
