package io.bitloom.deploy.chart;

import static io.bitloom.deploy.chart.Trial.COORDINATOR;
import static io.bitloom.deploy.chart.Trial.S3;
import static io.bitloom.deploy.chart.Trial.trial;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.GRPCRoute;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.HTTPRoute;
import io.fabric8.kubernetes.api.model.networking.v1.Ingress;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicyEgressRule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What values do to who reaches and watches whom. */
class ChartNetworkTest {

  @Test
  void redisLetsCoordinatorsInAndNobodyElse() {
    NetworkPolicy policy = trial().one(NetworkPolicy.class, "pictures-bitloom-redis");
    assertEquals(
        List.of("coordinator"),
        policy.getSpec().getIngress().stream()
            .flatMap(rule -> rule.getFrom().stream())
            .map(peer -> peer.getPodSelector().getMatchLabels())
            .map(labels -> labels.get("app.kubernetes.io/component"))
            .toList());
    assertTrue(policy.getSpec().getEgress().isEmpty());
  }

  @Test
  void coordinatorsAndWorkersReachS3AtThePortOfItsEndpoint() {
    Manifests manifests = Chart.rendered(Chart.combinations().get("spot"));
    assertTrue(
        ports(manifests, "pictures-bitloom-coordinator")
            .containsAll(List.of("53", "9000", "6379")));
    assertEquals(Set.of("53", "7700", "9000"), ports(manifests, "pictures-bitloom-worker"));
    assertEquals(Set.of("53", "7700", "443"), ports(trial(S3), "pictures-bitloom-worker"));
    assertEquals(Set.of("53", "7700"), ports(trial(), "pictures-bitloom-worker"));
  }

  private static Set<String> ports(Manifests manifests, String policy) {
    return manifests.one(NetworkPolicy.class, policy).getSpec().getEgress().stream()
        .map(NetworkPolicyEgressRule::getPorts)
        .flatMap(List::stream)
        .map(port -> String.valueOf(port.getPort().getValue()))
        .collect(Collectors.toSet());
  }

  @Test
  void withoutCallersNobodyIsLetIn() {
    Manifests manifests =
        trial(
            "pools: []",
            "tests: {enabled: false}",
            "monitoring: {podMonitors: {enabled: true}}",
            "networkPolicy: {clients: [], metrics: []}");
    assertTrue(manifests.one(NetworkPolicy.class, COORDINATOR).getSpec().getIngress().isEmpty());
  }

  @Test
  void aWorkerIsCalledByNobodyUnlessItIsScraped() {
    assertTrue(
        trial()
            .one(NetworkPolicy.class, "pictures-bitloom-worker")
            .getSpec()
            .getIngress()
            .isEmpty());
    assertEquals(
        1,
        trial("monitoring: {podMonitors: {enabled: true}}")
            .one(NetworkPolicy.class, "pictures-bitloom-worker")
            .getSpec()
            .getIngress()
            .size());
  }

  @Test
  void prometheusShowsTheOperatorsTokenAndTrustsTheCertificate() {
    Manifests manifests = Chart.rendered(Chart.combinations().get("production"));
    Object endpoint =
        Yamls.at(manifests.custom("PodMonitor").get(0), "spec", "podMetricsEndpoints", 0);
    assertEquals("https", Yamls.at(endpoint, "scheme"));
    assertEquals("operator", Yamls.at(endpoint, "authorization", "credentials", "key"));
    assertEquals("pictures-bitloom.studio.svc", Yamls.at(endpoint, "tlsConfig", "serverName"));
  }

  @Test
  void theRulesOfThePrometheusOperatorAreThoseOfTheFileForPrometheus() {
    Object groups =
        Yamls.read(Chart.HOME.resolve("deploy/prometheus/bitloom-alerts.yaml")).get("groups");
    assertEquals(
        groups,
        Yamls.at(
            trial("monitoring: {rules: {enabled: true}}").custom("PrometheusRule").get(0),
            "spec",
            "groups"));
  }

  @Test
  void theDashboardIsThatForGrafanaInAConfigMapThatItFinds() throws IOException {
    ConfigMap dashboard =
        trial("monitoring: {dashboard: {enabled: true}}")
            .one(ConfigMap.class, "pictures-bitloom-dashboard");
    assertEquals(
        Files.readString(Chart.HOME.resolve("deploy/grafana/bitloom.json")),
        dashboard.getData().get("bitloom.json"));
    assertEquals("1", dashboard.getMetadata().getLabels().get("grafana_dashboard"));
  }

  @Test
  void theyAreThereInAPackageToo(@TempDir Path folder) throws IOException {
    String text =
        Chart.packaged(
            folder,
            "insecure: true\n"
                + "monitoring: {rules: {enabled: true}, dashboard: {enabled: true}}");
    Manifests manifests = Manifests.parse(text);
    assertEquals(1, manifests.custom("PrometheusRule").size());
    ConfigMap dashboard = manifests.one(ConfigMap.class, "pictures-bitloom-dashboard");
    assertTrue(dashboard.getData().get("bitloom.json").startsWith("{"));
  }

  @Test
  void aGatewayLeadsToBothPorts() {
    Manifests manifests = Chart.rendered(Chart.combinations().get("gateway"));
    assertEquals(
        List.of("bitloom.example"),
        manifests.one(GRPCRoute.class, "pictures-bitloom").getSpec().getHostnames());
    assertEquals(
        List.of("jobs.example"),
        manifests.one(HTTPRoute.class, "pictures-bitloom").getSpec().getHostnames());
  }

  @Test
  void anIngressIsThereForEachPortThatHasAHost() {
    Manifests both = Chart.rendered(Chart.combinations().get("ingress"));
    assertEquals(
        List.of("pictures-bitloom-grpc", "pictures-bitloom-http"), both.names(Ingress.class));
    assertEquals(
        List.of("pictures-bitloom-grpc"),
        trial("ingress: {enabled: true, grpc: {host: a.example}}").names(Ingress.class));
  }
}
