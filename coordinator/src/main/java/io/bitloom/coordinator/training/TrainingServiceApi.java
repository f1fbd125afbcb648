package io.bitloom.coordinator.training;

import io.bitloom.coordinator.grpc.Authentication;
import io.bitloom.v1.MeetTrainingProcessesRequest;
import io.bitloom.v1.MeetTrainingProcessesResponse;
import io.bitloom.v1.ReportTrainingRunRequest;
import io.bitloom.v1.ReportTrainingRunResponse;
import io.bitloom.v1.TrainingServiceGrpc;
import io.grpc.stub.StreamObserver;
import java.util.Optional;

/** Takes the reports of training processes, and lets them find each other. */
public final class TrainingServiceApi extends TrainingServiceGrpc.TrainingServiceImplBase {
  private final TrainingRuns runs;
  private final TrainingMeetings meetings;

  public TrainingServiceApi(TrainingRuns runs, TrainingMeetings meetings) {
    this.runs = runs;
    this.meetings = meetings;
  }

  @Override
  public void meetTrainingProcesses(
      MeetTrainingProcessesRequest request, StreamObserver<MeetTrainingProcessesResponse> caller) {
    String address =
        meetings.come(
            Authentication.caller().worker(),
            request.getGroup(),
            request.getRank(),
            request.getCount(),
            request.getAddress());
    caller.onNext(MeetTrainingProcessesResponse.newBuilder().setAddress(address).build());
    caller.onCompleted();
  }

  @Override
  public void reportTrainingRun(
      ReportTrainingRunRequest request, StreamObserver<ReportTrainingRunResponse> caller) {
    TrainingRuns.Answer answer =
        runs.report(
            Authentication.caller().worker().token(),
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
