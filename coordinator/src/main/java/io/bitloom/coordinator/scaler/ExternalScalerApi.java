package io.bitloom.coordinator.scaler;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.grpc.GrpcErrors;
import io.bitloom.coordinator.auth.Tenants;
import io.bitloom.coordinator.grpc.Calls;
import io.bitloom.coordinator.pools.PoolScaling;
import io.bitloom.coordinator.pools.PoolStanding;
import io.bitloom.coordinator.pools.PoolTarget;
import io.bitloom.coordinator.pools.PoolWatch;
import io.bitloom.externalscaler.ExternalScalerGrpc;
import io.bitloom.externalscaler.GetMetricSpecResponse;
import io.bitloom.externalscaler.GetMetricsRequest;
import io.bitloom.externalscaler.GetMetricsResponse;
import io.bitloom.externalscaler.IsActiveResponse;
import io.bitloom.externalscaler.MetricSpec;
import io.bitloom.externalscaler.MetricValue;
import io.bitloom.externalscaler.ScaledObjectRef;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionStage;

/**
 * {@link PoolScaling} as KEDA's external scaler. There is one metric, the number of workers that a
 * pool should have, of which each worker is worth 1: so Kubernetes computes nothing, and shows what
 * is wanted.
 */
public final class ExternalScalerApi extends ExternalScalerGrpc.ExternalScalerImplBase {

  /** Name of the metric. */
  public static final String METRIC = "bitloom-workers-wanted";

  private static final String METADATA = "scalerMetadata";

  /** Metadata of a trigger that KEDA itself reads, and sends along. */
  private static final Set<String> OF_KEDA =
      Set.of(
          "scalerAddress",
          "enableTLS",
          "unsafeSsl",
          "tlsCertFile",
          "caCert",
          "tlsClientCert",
          "tlsClientKey");

  private final PoolScaling pools;
  private final ScalerAccess access;

  /**
   * @param open whether everybody may ask
   */
  public ExternalScalerApi(PoolScaling pools, Tenants tenants, boolean open) {
    this.pools = pools;
    this.access = new ScalerAccess(tenants, open);
  }

  private PoolTarget target(ScaledObjectRef what) {
    Map<String, String> metadata = access.check(what);
    metadata.keySet().removeAll(OF_KEDA);
    return PoolTarget.of(METADATA, metadata);
  }

  private CompletionStage<PoolStanding> standing(ScaledObjectRef what) {
    return pools.standing(target(what));
  }

  @Override
  public void isActive(ScaledObjectRef what, StreamObserver<IsActiveResponse> caller) {
    Calls.answer(caller, standing(what).thenApply(standing -> answer(standing.active())));
  }

  private static IsActiveResponse answer(boolean active) {
    return IsActiveResponse.newBuilder().setResult(active).build();
  }

  @Override
  public void streamIsActive(ScaledObjectRef what, StreamObserver<IsActiveResponse> caller) {
    ServerCallStreamObserver<IsActiveResponse> stream =
        (ServerCallStreamObserver<IsActiveResponse>) caller;
    PoolTarget target = target(what);
    WatchEnd end = new WatchEnd();
    stream.setOnCancelHandler(end::come);
    PoolWatch watch =
        pools.watch(
            target,
            new PoolWatch.Listener() {
              @Override
              public void active(boolean active) {
                stream.onNext(answer(active));
              }

              @Override
              public void failed(Throwable error) {
                stream.onError(GrpcErrors.unwrap(error));
              }
            });
    end.of(watch);
  }

  /** The caller may be gone before there is a watch. */
  private static final class WatchEnd {
    private boolean came;
    private PoolWatch watch;

    synchronized void of(PoolWatch begun) {
      watch = begun;
      if (came) {
        begun.close();
      }
    }

    synchronized void come() {
      came = true;
      if (watch != null) {
        watch.close();
      }
    }
  }

  @Override
  public void getMetricSpec(ScaledObjectRef what, StreamObserver<GetMetricSpecResponse> caller) {
    target(what);
    caller.onNext(
        GetMetricSpecResponse.newBuilder()
            .addMetricSpecs(
                MetricSpec.newBuilder()
                    .setMetricName(METRIC)
                    .setTargetSize(1)
                    .setTargetSizeFloat(1))
            .build());
    caller.onCompleted();
  }

  @Override
  public void getMetrics(GetMetricsRequest request, StreamObserver<GetMetricsResponse> caller) {
    PoolTarget target = target(request.getScaledObjectRef());
    if (!request.getMetricName().equals(METRIC)) {
      throw BitloomException.invalid("metricName", request.getMetricName(), "must be " + METRIC);
    }
    Calls.answer(caller, pools.standing(target).thenApply(ExternalScalerApi::metrics));
  }

  private static GetMetricsResponse metrics(PoolStanding standing) {
    return GetMetricsResponse.newBuilder()
        .addMetricValues(
            MetricValue.newBuilder()
                .setMetricName(METRIC)
                .setMetricValue(standing.wanted())
                .setMetricValueFloat(standing.wanted()))
        .build();
  }
}
