package io.bitloom.coordinator.training;

import io.bitloom.v1.ReportTrainingRunRequest;
import io.bitloom.v1.ReportTrainingRunResponse;
import io.bitloom.v1.TrainingServiceGrpc;
import io.grpc.stub.StreamObserver;
import java.util.Optional;

/** Takes the reports of training processes. */
public final class TrainingServiceApi extends TrainingServiceGrpc.TrainingServiceImplBase {
  private final TrainingRuns runs;

  public TrainingServiceApi(TrainingRuns runs) {
    this.runs = runs;
  }

  @Override
  public void reportTrainingRun(
      ReportTrainingRunRequest request, StreamObserver<ReportTrainingRunResponse> caller) {
    TrainingRuns.Answer answer =
        runs.report(
            request.getRun(),
            request.hasPicture() ? Optional.of(request.getPicture()) : Optional.empty());
    caller.onNext(
        ReportTrainingRunResponse.newBuilder()
            .setStop(answer.stop())
            .setPictureStep(answer.pictureStep())
            .build());
    caller.onCompleted();
  }
}
