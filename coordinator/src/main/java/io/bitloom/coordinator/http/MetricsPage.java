package io.bitloom.coordinator.http;

import io.bitloom.coordinator.telemetry.ClusterMetrics;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.vertx.core.Future;
import io.vertx.ext.web.RoutingContext;

/** All metrics for Prometheus; those of the cluster are asked for when they are read. */
public final class MetricsPage {

  private final PrometheusMeterRegistry registry;
  private final ClusterMetrics clusterMetrics;

  public MetricsPage(PrometheusMeterRegistry registry, ClusterMetrics clusterMetrics) {
    this.registry = registry;
    this.clusterMetrics = clusterMetrics;
  }

  void send(RoutingContext context) {
    Future.fromCompletionStage(clusterMetrics.refresh(), context.vertx().getOrCreateContext())
        .onComplete(
            refreshed ->
                context
                    .response()
                    .putHeader("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
                    .end(registry.scrape()));
  }
}
