package io.bitloom.coordinator.http;

import io.bitloom.coordinator.telemetry.ClusterMetrics;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.vertx.core.Future;
import io.vertx.ext.web.RoutingContext;

/**
 * All metrics for Prometheus; those of the cluster are asked for when they are read. Who accepts
 * OpenMetrics, as Prometheus does, is also told the traces of measurements: only that format has
 * exemplars.
 */
public final class MetricsPage {

  private static final String TEXT = "text/plain; version=0.0.4; charset=utf-8";
  private static final String OPEN_METRICS = "application/openmetrics-text";
  private static final String OPEN_METRICS_1 = OPEN_METRICS + "; version=1.0.0; charset=utf-8";

  private final PrometheusMeterRegistry registry;
  private final ClusterMetrics clusterMetrics;

  public MetricsPage(PrometheusMeterRegistry registry, ClusterMetrics clusterMetrics) {
    this.registry = registry;
    this.clusterMetrics = clusterMetrics;
  }

  void send(RoutingContext context) {
    String accepted = context.request().getHeader("Accept");
    String format = accepted != null && accepted.contains(OPEN_METRICS) ? OPEN_METRICS_1 : TEXT;
    Future.fromCompletionStage(clusterMetrics.refresh(), context.vertx().getOrCreateContext())
        .onComplete(
            refreshed ->
                context.response().putHeader("Content-Type", format).end(registry.scrape(format)));
  }
}
