package io.bitloom.deploy.chart;

import static io.bitloom.deploy.chart.Trial.COORDINATOR;
import static io.bitloom.deploy.chart.Trial.WORKER;
import static io.bitloom.deploy.chart.Trial.kinds;
import static io.bitloom.deploy.chart.Trial.only;
import static io.bitloom.deploy.chart.Trial.trial;
import static io.bitloom.deploy.chart.Trial.variable;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What values do to the whole. */
class ChartValuesTest {

  @Test
  void aTrialIsACoordinatorARedisAndAWorker() {
    Manifests manifests = trial();
    assertEquals(List.of(COORDINATOR, WORKER + "cpu"), manifests.names(Deployment.class));
    assertEquals(List.of("pictures-bitloom-redis"), manifests.names(StatefulSet.class));
    assertEquals(
        "redis://pictures-bitloom-redis:6379",
        variable(only(manifests, COORDINATOR), "BITLOOM_REDIS").getValue());
  }

  @Test
  void nothingButTheObjectsOfATrialIsThereUnlessItIsAskedFor() {
    assertEquals(
        Set.of(
            "ConfigMap",
            "Deployment",
            "NetworkPolicy",
            "PersistentVolumeClaim",
            "Pod",
            "Service",
            "ServiceAccount",
            "StatefulSet"),
        kinds(trial()));
  }

  @Test
  void anImageIsNamedByRegistryAndDigestOrTag() {
    Manifests manifests = Chart.rendered(Chart.combinations().get("production"));
    assertEquals(
        "registry.example/bitloom/bitloom-coordinator:1.2.3",
        only(manifests, COORDINATOR).getImage());
    String digest = "sha256:" + "0".repeat(64);
    assertEquals(
        "bitloom-coordinator@" + digest,
        only(trial("coordinator: {image: {digest: '" + digest + "'}}"), COORDINATOR).getImage());
  }

  @Test
  void aNewChartAloneStartsNoPodAgain() {
    assertTrue(
        trial().pods().stream()
            .filter(pods -> !pods.kind().equals("Pod"))
            .flatMap(pods -> pods.labels().values().stream())
            .noneMatch(label -> label.contains("0.1.0")));
  }

  @Test
  void aCommonLabelIsOnEveryObject() {
    Manifests manifests = Chart.rendered(Chart.combinations().get("production"));
    assertTrue(
        manifests.objects().stream()
            .allMatch(object -> "art".equals(object.getMetadata().getLabels().get("team"))));
  }

  @Test
  void whatIsSwitchedOffIsNotThere() {
    Manifests manifests = Chart.rendered(Chart.combinations().get("everything-off"));
    assertEquals(Set.of("ConfigMap", "Deployment", "Service"), kinds(manifests));
  }

  @Test
  void namesFitWhateverTheReleaseIsCalled() {
    String longest = "a".repeat(53);
    Manifests manifests =
        Chart.rendered(
            "insecure: true\npools: [{name: " + "p".repeat(20) + "}]", "1.34.0", longest);
    assertEquals(List.of(), ChartRules.faults(manifests));
    assertEquals(
        63,
        manifests.objects().stream()
            .mapToInt(object -> object.getMetadata().getName().length())
            .max()
            .orElseThrow());
  }

  @Test
  void whatLooksLikeANumberOrATruthStaysAText() {
    Manifests manifests =
        Chart.rendered(
            """
            fullnameOverride: drawing
            commonLabels: {year: "2026"}
            tenants: {secret: "1"}
            tokens: {worker: {secret: "2", key: "3"}, test: {secret: "4", key: "5"}}
            tls: {secret: "6", clientSecret: "7", ca: {secret: "8", key: "9"}}
            redis: {external: {secret: "10", key: "11", caSecret: "12"}}
            results: {bucket: "13", prefix: "14"}
            s3: {region: "15", credentialsSecret: "16"}
            image: {tag: "17", pullSecrets: ["18"]}
            serviceAccounts: {create: false, coordinator: {name: "19"}, worker: {name: "20"}}
            pools:
              - name: "on"
                kueueQueue: "21"
                runtimeClassName: "22"
                priorityClassName: "23"
                gpu: {deviceClass: "24"}
                model: {claim: "25", path: "26"}
                autoscaling: {enabled: true, metadata: {models: "27"}}
              - {name: "1e3", model: {image: "28"}}
            """,
            "1.34.0",
            "29");
    assertEquals("on", manifests.pods("drawing-worker-on").labels().get("bitloom.io/pool"));
    assertEquals("1e3", manifests.pods("drawing-worker-1e3").labels().get("bitloom.io/pool"));
  }

  @Test
  void theChartIsOfTheVersionThatIsBuilt() {
    Map<String, Object> chart = Yamls.read(Chart.FOLDER.resolve("Chart.yaml"));
    assertEquals(System.getProperty("bitloom.version"), chart.get("appVersion"));
  }
}
