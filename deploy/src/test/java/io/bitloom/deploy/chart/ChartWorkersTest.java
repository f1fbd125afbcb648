package io.bitloom.deploy.chart;

import static io.bitloom.deploy.chart.Trial.COORDINATOR;
import static io.bitloom.deploy.chart.Trial.WORKER;
import static io.bitloom.deploy.chart.Trial.hasSetting;
import static io.bitloom.deploy.chart.Trial.only;
import static io.bitloom.deploy.chart.Trial.settings;
import static io.bitloom.deploy.chart.Trial.trial;
import static io.bitloom.deploy.chart.Trial.variable;
import static io.bitloom.deploy.chart.Trial.volume;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.deploy.chart.Manifests.Pods;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.rbac.Role;
import io.fabric8.kubernetes.api.model.rbac.RoleBinding;
import io.fabric8.kubernetes.api.model.resource.v1.ResourceClaimTemplate;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** What values do to workers. */
class ChartWorkersTest {

  @Test
  void aWorkerHasTheTimeThatItsGraceTakes() {
    Manifests manifests = trial("pools: [{name: spot, shutdownGraceSeconds: 12}]");
    assertTrue(only(manifests, WORKER + "spot").getArgs().contains("--shutdown-grace=12s"));
    assertEquals(27, manifests.pods(WORKER + "spot").spec().getTerminationGracePeriodSeconds());
  }

  @Test
  void aWorkerMayTakeItsTimeToLoadAModel() {
    var probe =
        only(trial("poolDefaults: {startupSeconds: 1800}"), WORKER + "cpu").getStartupProbe();
    assertEquals(1800, probe.getPeriodSeconds() * probe.getFailureThreshold());
  }

  @Test
  void tokensAndCertificatesComeFromSecrets() {
    Manifests manifests = Chart.rendered(Chart.combinations().get("production"));
    assertTrue(hasSetting(manifests, "tenants", "/etc/bitloom/tenants/tenants.json"));
    assertTrue(hasSetting(manifests, "tls-cert", "/etc/bitloom/tls/tls.crt"));
    assertFalse(settings(manifests).contains("insecure"));
    Container worker = only(manifests, WORKER + "a");
    assertEquals(
        "existing-tokens",
        variable(worker, "BITLOOM_TOKEN").getValueFrom().getSecretKeyRef().getName());
    assertTrue(
        worker
            .getArgs()
            .containsAll(
                List.of(
                    "--coordinator=https://pictures-bitloom.studio.svc:7700",
                    "--tls-ca=/etc/bitloom/tls/ca.crt")));
  }

  @Test
  void aWorkerNeverSeesTheCoordinatorsKey() {
    Pods worker = Chart.rendered(Chart.combinations().get("production")).pods(WORKER + "a");
    assertEquals(
        List.of("ca.crt"),
        volume(worker, "tls").getProjected().getSources().stream()
            .flatMap(source -> source.getSecret().getItems().stream())
            .map(item -> item.getKey())
            .toList());
  }

  @Test
  void aGpuIsAResourceOfItsNodeAndBringsTheImageForIt() {
    Container worker =
        only(trial("pools: [{name: gpu, gpu: {resource: nvidia.com/gpu}}]"), WORKER + "gpu");
    assertEquals(new Quantity("1"), worker.getResources().getLimits().get("nvidia.com/gpu"));
    assertTrue(worker.getImage().startsWith("bitloom-worker-cuda:"), worker.getImage());
    assertTrue(worker.getArgs().contains("--device=cuda:0"));
  }

  @Test
  void withoutAGpuAWorkerDrawsOnProcessors() {
    Container worker = only(trial(), WORKER + "cpu");
    assertTrue(worker.getImage().startsWith("bitloom-worker:"), worker.getImage());
    assertTrue(worker.getArgs().containsAll(List.of("--device=cpu", "--model=demo")));
  }

  @Test
  void aGpuCanBeAClaimOfADevice() {
    Manifests manifests = Chart.rendered(Chart.combinations().get("dra"));
    var request =
        manifests
            .one(ResourceClaimTemplate.class, WORKER + "claimed")
            .getSpec()
            .getSpec()
            .getDevices()
            .getRequests()
            .get(0);
    assertEquals("gpu.nvidia.com", request.getExactly().getDeviceClassName());
    assertEquals(1, request.getExactly().getSelectors().size());
    assertEquals(
        "gpu", only(manifests, WORKER + "claimed").getResources().getClaims().get(0).getName());
  }

  @Test
  void aModelIsAFolderOfAClaimOrOfAnImage() {
    Manifests onClaim = Chart.rendered(Chart.combinations().get("gpu"));
    assertTrue(only(onClaim, WORKER + "l4").getArgs().contains("--model=/models/infinity-2b"));
    assertTrue(
        volume(onClaim.pods(WORKER + "l4"), "models").getPersistentVolumeClaim().getReadOnly());
    Manifests inImage = Chart.rendered(Chart.combinations().get("mig"));
    assertEquals(
        "registry.example/models/infinity-2b:1",
        volume(inImage.pods(WORKER + "slices"), "models").getImage().getReference());
    Manifests whole = Chart.rendered(Chart.combinations().get("dra"));
    assertTrue(only(whole, WORKER + "claimed").getArgs().contains("--model=/models"));
  }

  @Test
  void aPoolHasWhatItDoesNotSayFromTheDefaults() {
    Manifests manifests =
        trial(
            "poolDefaults: {replicas: 4, dtype: bf16}",
            "pools: [{name: a}, {name: b, replicas: 1}]");
    assertEquals(4, manifests.pods(WORKER + "a").replicas());
    assertEquals(1, manifests.pods(WORKER + "b").replicas());
    assertTrue(only(manifests, WORKER + "b").getArgs().contains("--dtype=bf16"));
  }

  @Test
  void aScaledPoolSaysNoNumberAndCoordinatorsAreAskedForIt() {
    Manifests manifests = Chart.rendered(Chart.combinations().get("keda"));
    assertNull(manifests.pods(WORKER + "gpu").replicas());
    assertEquals(2, manifests.pods(WORKER + "base").replicas());
    Map<String, Object> scaled = manifests.custom("ScaledObject").get(0);
    assertEquals(1, manifests.custom("ScaledObject").size());
    assertEquals(0, Yamls.at(scaled, "spec", "minReplicaCount"));
    assertEquals(40, Yamls.at(scaled, "spec", "maxReplicaCount"));
    assertEquals(
        Map.of(
            "scalerAddress", "pictures-bitloom.studio.svc:7700",
            "enableTLS", "true",
            "tokenFromEnv", "BITLOOM_TOKEN",
            "pool", "gpu",
            "maxWorkers", "40",
            "models", "infinity-*",
            "sizes", "0.25M,1M",
            "emptyIn", "30m",
            "nodeStart", "3m",
            "idle", "90s"),
        withoutPrice(Yamls.map(Yamls.at(scaled, "spec", "triggers", 0, "metadata"))));
  }

  private static Map<String, Object> withoutPrice(Map<String, Object> metadata) {
    Map<String, Object> rest = new TreeMap<>(metadata);
    assertEquals("2.5", rest.remove("pricePerGpuHour"));
    return rest;
  }

  @Test
  void theAutoscalerDoesAtOnceWhatCoordinatorsSay() {
    Object behavior =
        Yamls.at(
            Chart.rendered(Chart.combinations().get("mutual-tls")).custom("ScaledObject").get(0),
            "spec",
            "advanced",
            "horizontalPodAutoscalerConfig",
            "behavior");
    assertEquals(0, Yamls.at(behavior, "scaleUp", "stabilizationWindowSeconds"));
    assertEquals(0, Yamls.at(behavior, "scaleDown", "stabilizationWindowSeconds"));
  }

  @Test
  void kedaTrustsAndShowsWhatWorkersDo() {
    Manifests manifests = Chart.rendered(Chart.combinations().get("mutual-tls"));
    assertEquals(
        List.of(
            Map.of("parameter", "caCert", "name", "existing-ca", "key", "root.pem"),
            Map.of("parameter", "tlsClientCert", "name", "existing-client-tls", "key", "tls.crt"),
            Map.of("parameter", "tlsClientKey", "name", "existing-client-tls", "key", "tls.key")),
        Yamls.at(manifests.custom("TriggerAuthentication").get(0), "spec", "secretTargetRef"));
  }

  @Test
  void onlyWorkersThatSayHowBusyTheyAreHaveARight() {
    Manifests manifests = trial("podDeletionCost: true");
    assertTrue(only(manifests, WORKER + "cpu").getArgs().contains("--pod-deletion-cost"));
    assertTrue(manifests.pods(WORKER + "cpu").spec().getAutomountServiceAccountToken());
    assertFalse(manifests.pods(COORDINATOR).spec().getAutomountServiceAccountToken());
    var rule = manifests.one(Role.class, "pictures-bitloom-worker").getRules().get(0);
    assertEquals(List.of("pods"), rule.getResources());
    assertEquals(List.of("patch"), rule.getVerbs());
    var binding = manifests.one(RoleBinding.class, "pictures-bitloom-worker");
    assertEquals("pictures-bitloom-worker", binding.getSubjects().get(0).getName());
    assertEquals("pictures-bitloom-worker", binding.getRoleRef().getName());
  }

  @Test
  void aPoolCanWaitForItsTurnInAQueueOfKueue() {
    Manifests manifests = Chart.rendered(Chart.combinations().get("kueue"));
    assertEquals(
        "gpus", manifests.pods(WORKER + "queued").labels().get("kueue.x-k8s.io/queue-name"));
    assertEquals(
        "gpus",
        manifests
            .one(Deployment.class, WORKER + "queued")
            .getMetadata()
            .getLabels()
            .get("kueue.x-k8s.io/queue-name"));
  }
}
