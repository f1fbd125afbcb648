package io.bitloom.deploy.chart;

import static io.bitloom.deploy.chart.Trial.COORDINATOR;
import static io.bitloom.deploy.chart.Trial.S3;
import static io.bitloom.deploy.chart.Trial.hasSetting;
import static io.bitloom.deploy.chart.Trial.kinds;
import static io.bitloom.deploy.chart.Trial.only;
import static io.bitloom.deploy.chart.Trial.settings;
import static io.bitloom.deploy.chart.Trial.trial;
import static io.bitloom.deploy.chart.Trial.variable;
import static io.bitloom.deploy.chart.Trial.volume;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What values do to coordinators and what they need. */
class ChartCoordinatorTest {

  @Test
  void theBundledRedisSyncsEveryWriteAndThrowsNothingAway() {
    String arguments = String.join(" ", only(trial(), "pictures-bitloom-redis").getArgs());
    assertTrue(arguments.contains("--appendonly yes --appendfsync always"), arguments);
    assertTrue(arguments.contains("--maxmemory-policy noeviction"), arguments);
  }

  @Test
  void aPasswordOfTheBundledRedisIsInNoArgumentAndNoValue() {
    Manifests manifests = trial("redis: {bundled: {passwordSecret: my-redis}}");
    assertTrue(only(manifests, "pictures-bitloom-redis").getArgs().contains("$(REDISCLI_AUTH)"));
    assertEquals(
        "redis://:$(REDIS_PASSWORD)@pictures-bitloom-redis:6379",
        variable(only(manifests, COORDINATOR), "BITLOOM_REDIS").getValue());
    assertEquals(
        "my-redis",
        variable(only(manifests, COORDINATOR), "REDIS_PASSWORD")
            .getValueFrom()
            .getSecretKeyRef()
            .getName());
  }

  @Test
  void anExternalRedisTakesThePlaceOfTheBundledOne() {
    Manifests manifests = trial("redis: {external: {secret: my-redis, key: url}}");
    assertFalse(kinds(manifests).contains("StatefulSet"));
    assertEquals(List.of("pictures-bitloom"), manifests.names(Service.class));
    var from = variable(only(manifests, COORDINATOR), "BITLOOM_REDIS").getValueFrom();
    assertEquals("my-redis", from.getSecretKeyRef().getName());
    assertEquals("url", from.getSecretKeyRef().getKey());
  }

  @Test
  void imagesAreOnAVolumeThatOutlivesTheChart() {
    PersistentVolumeClaim claim =
        trial().one(PersistentVolumeClaim.class, "pictures-bitloom-results");
    assertEquals("keep", claim.getMetadata().getAnnotations().get("helm.sh/resource-policy"));
  }

  @Test
  void aCoordinatorWhoseVolumeOnlyOneCanHaveIsStoppedBeforeTheNextOne() {
    assertEquals("Recreate", strategy(trial()));
    assertEquals("RollingUpdate", strategy(trial(S3)));
  }

  private static String strategy(Manifests manifests) {
    return manifests.one(Deployment.class, COORDINATOR).getSpec().getStrategy().getType();
  }

  @Test
  void withABucketNoVolumeIsNeeded() {
    Manifests manifests = trial(S3);
    assertFalse(kinds(manifests).contains("PersistentVolumeClaim"));
    assertTrue(hasSetting(manifests, "results", "s3://pictures"));
    assertTrue(hasSetting(manifests, "s3-region", "us-east-1"));
  }

  @Test
  void aRoleOfTheCloudIsTheCoordinatorsAlone() {
    Manifests manifests =
        trial("serviceAccounts: {coordinator: {annotations: {cloud/role: images}}}");
    assertEquals(
        Map.of("cloud/role", "images"),
        manifests.one(ServiceAccount.class, COORDINATOR).getMetadata().getAnnotations());
    assertTrue(
        manifests
            .one(ServiceAccount.class, "pictures-bitloom-worker")
            .getMetadata()
            .getAnnotations()
            .isEmpty());
  }

  @Test
  void severalCoordinatorsAreSpreadAndDrainedOneAtATime() {
    Manifests manifests = trial("coordinator: {replicas: 3, spread: DoNotSchedule}", S3);
    assertEquals(
        Set.of("kubernetes.io/hostname", "topology.kubernetes.io/zone"),
        manifests.pods(COORDINATOR).spec().getTopologySpreadConstraints().stream()
            .map(spread -> spread.getTopologyKey())
            .collect(Collectors.toSet()));
    assertEquals(
        1,
        manifests
            .one(PodDisruptionBudget.class, COORDINATOR)
            .getSpec()
            .getMaxUnavailable()
            .getIntVal());
  }

  @Test
  void oneCoordinatorHasNoBudgetThatWouldHoldUpADrain() {
    assertFalse(kinds(trial()).contains("PodDisruptionBudget"));
  }

  @Test
  void aCoordinatorHasTheTimeThatItsDrainTakes() {
    Manifests manifests = trial("coordinator: {preStopSeconds: 7, drainSeconds: 100}");
    assertTrue(hasSetting(manifests, "drain-timeout", "100s"));
    assertEquals(
        7L, only(manifests, COORDINATOR).getLifecycle().getPreStop().getSleep().getSeconds());
    assertEquals(
        7 + 100 + 15, manifests.pods(COORDINATOR).spec().getTerminationGracePeriodSeconds());
  }

  @Test
  void aCoordinatorIsNotStartedAgainBecauseRedisIsAway() {
    Container coordinator = only(trial(), COORDINATOR);
    assertEquals("/health/live", coordinator.getLivenessProbe().getHttpGet().getPath());
    assertEquals("/health/ready", coordinator.getReadinessProbe().getHttpGet().getPath());
  }

  @Test
  void aSettingIsWrittenAsItIsAndNotAsAPowerOfTen() {
    Manifests manifests =
        trial("coordinator: {settings: {queued-prompts: 50000000, retention: 7d, open-jobs: 3}}");
    assertTrue(hasSetting(manifests, "queued-prompts", "50000000"), settings(manifests));
    assertTrue(hasSetting(manifests, "retention", "7d"));
    assertTrue(hasSetting(manifests, "open-jobs", "3"));
  }

  @Test
  void anotherSettingReplacesThePods() {
    assertFalse(
        checksum(trial()).equals(checksum(trial("coordinator: {settings: {retention: 7d}}"))));
    assertEquals(checksum(trial()), checksum(trial("coordinator: {replicas: 1}")));
  }

  private static String checksum(Manifests manifests) {
    return manifests
        .one(Deployment.class, COORDINATOR)
        .getSpec()
        .getTemplate()
        .getMetadata()
        .getAnnotations()
        .get("checksum/settings");
  }

  @Test
  void theHttpPortIsCalledByAllNamesOfServiceAndRoutes() {
    Manifests manifests =
        trial(
            "coordinator: {allowedHosts: [more.example]}",
            "gateway: {enabled: true, parentRefs: [{name: g}], httpHostnames: [jobs.example]}");
    assertTrue(
        hasSetting(
            manifests,
            "allowed-hosts",
            "pictures-bitloom,pictures-bitloom.studio,pictures-bitloom.studio.svc,"
                + "pictures-bitloom.studio.svc.cluster.local,more.example,jobs.example"),
        settings(manifests));
  }

  @Test
  void aSettingCanBeAFileOfASecret() {
    Manifests manifests =
        trial(
            "coordinator:",
            "  secretFiles: [{setting: webhook-ca, secret: my-webhooks, key: root.pem}]");
    assertTrue(hasSetting(manifests, "webhook-ca", "/etc/bitloom/files/webhook-ca"));
    var file =
        volume(manifests.pods(COORDINATOR), "files").getProjected().getSources().get(0).getSecret();
    assertEquals("my-webhooks", file.getName());
    assertEquals("webhook-ca", file.getItems().get(0).getPath());
  }

  @Test
  void withTlsProbesSpeakIt() {
    Manifests manifests = Chart.rendered(Chart.combinations().get("production"));
    assertEquals(
        "HTTPS", only(manifests, COORDINATOR).getReadinessProbe().getHttpGet().getScheme());
    assertEquals("HTTP", only(trial(), COORDINATOR).getReadinessProbe().getHttpGet().getScheme());
  }
}
