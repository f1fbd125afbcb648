package io.bitloom.coordinator.api;

import io.bitloom.coordinator.grpc.Authentication;
import io.bitloom.coordinator.grpc.Calls;
import io.bitloom.coordinator.registry.ModelLibrary;
import io.bitloom.v1.CommitVersionRequest;
import io.bitloom.v1.CommitVersionResponse;
import io.bitloom.v1.CreateVersionRequest;
import io.bitloom.v1.CreateVersionResponse;
import io.bitloom.v1.DeleteLabelRequest;
import io.bitloom.v1.DeleteLabelResponse;
import io.bitloom.v1.DeleteVersionRequest;
import io.bitloom.v1.DeleteVersionResponse;
import io.bitloom.v1.GetVersionRequest;
import io.bitloom.v1.GetVersionResponse;
import io.bitloom.v1.ListVersionsRequest;
import io.bitloom.v1.ListVersionsResponse;
import io.bitloom.v1.LoadModelRequest;
import io.bitloom.v1.LoadModelResponse;
import io.bitloom.v1.ModelServiceGrpc;
import io.bitloom.v1.ReadBlobRequest;
import io.bitloom.v1.ReadBlobResponse;
import io.bitloom.v1.SetLabelRequest;
import io.bitloom.v1.SetLabelResponse;
import io.bitloom.v1.UnloadModelRequest;
import io.bitloom.v1.UnloadModelResponse;
import io.bitloom.v1.UploadBlobRequest;
import io.bitloom.v1.UploadBlobResponse;
import io.grpc.stub.StreamObserver;

/** {@link ModelLibrary} as a gRPC service. */
public final class ModelServiceApi extends ModelServiceGrpc.ModelServiceImplBase {

  private final ModelLibrary library;

  public ModelServiceApi(ModelLibrary library) {
    this.library = library;
  }

  @Override
  public void createVersion(
      CreateVersionRequest request, StreamObserver<CreateVersionResponse> caller) {
    Calls.answer(caller, library.create(Authentication.caller(), request.getManifest()));
  }

  @Override
  public StreamObserver<UploadBlobRequest> uploadBlob(StreamObserver<UploadBlobResponse> caller) {
    return new UploadCall<>(caller, library.upload(Authentication.caller()));
  }

  @Override
  public void commitVersion(
      CommitVersionRequest request, StreamObserver<CommitVersionResponse> caller) {
    Calls.answer(
        caller,
        library
            .commit(Authentication.caller(), request)
            .thenApply(version -> CommitVersionResponse.newBuilder().setVersion(version).build()));
  }

  @Override
  public void listVersions(
      ListVersionsRequest request, StreamObserver<ListVersionsResponse> caller) {
    Calls.answer(
        caller,
        library
            .list(request.getModel())
            .thenCombine(
                library.pools(request.getModel()),
                (models, pools) ->
                    ListVersionsResponse.newBuilder()
                        .addAllModels(models)
                        .addAllPools(pools)
                        .build()));
  }

  @Override
  public void loadModel(LoadModelRequest request, StreamObserver<LoadModelResponse> caller) {
    Calls.answer(
        caller,
        library
            .load(Authentication.caller(), request.getPool(), request.getVersion())
            .thenApply(pool -> LoadModelResponse.newBuilder().setPool(pool).build()));
  }

  @Override
  public void unloadModel(UnloadModelRequest request, StreamObserver<UnloadModelResponse> caller) {
    Calls.answer(
        caller,
        library
            .unload(Authentication.caller(), request.getPool(), request.getVersion())
            .thenApply(pool -> UnloadModelResponse.newBuilder().setPool(pool).build()));
  }

  @Override
  public void getVersion(GetVersionRequest request, StreamObserver<GetVersionResponse> caller) {
    Calls.answer(caller, library.get(request.getVersion()));
  }

  @Override
  public void readBlob(ReadBlobRequest request, StreamObserver<ReadBlobResponse> caller) {
    library.read(request, new GrpcSink<>(caller));
  }

  @Override
  public void setLabel(SetLabelRequest request, StreamObserver<SetLabelResponse> caller) {
    Calls.answer(
        caller,
        library
            .setLabel(Authentication.caller(), request.getVersion(), request.getLabel())
            .thenApply(model -> SetLabelResponse.newBuilder().setModel(model).build()));
  }

  @Override
  public void deleteLabel(DeleteLabelRequest request, StreamObserver<DeleteLabelResponse> caller) {
    Calls.answer(
        caller,
        library
            .deleteLabel(Authentication.caller(), request.getModel(), request.getLabel())
            .thenApply(model -> DeleteLabelResponse.newBuilder().setModel(model).build()));
  }

  @Override
  public void deleteVersion(
      DeleteVersionRequest request, StreamObserver<DeleteVersionResponse> caller) {
    Calls.answer(
        caller,
        library
            .delete(Authentication.caller(), request.getVersion())
            .thenApply(done -> DeleteVersionResponse.getDefaultInstance()));
  }
}
