package io.bitloom.deploy.chart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** Objects that an API server would refuse, or take and ignore a part of, are refused. */
class StrictObjectsTest {

  private static String refusal(String yaml) {
    return assertThrows(RuntimeException.class, () -> Manifests.parse(yaml)).getMessage();
  }

  private static void refused(String named, String yaml) {
    String message = refusal(yaml);
    assertTrue(message.contains(named), message);
  }

  @Test
  void whatIsRightIsRead() {
    assertEquals(
        1,
        Manifests.parse("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {b: c}}")
            .objects()
            .size());
  }

  @Test
  void aFieldThatThereIsNotIsRefusedHoweverDeepItIs() {
    refused(
        "\"valueForm\"",
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: a}
        spec: {containers: [{name: b, env: [{name: C, valueForm: {}}]}]}
        """);
  }

  @Test
  void aNumberForATextIsRefused() {
    refused(
        "java.lang.String", "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {b: 1}}");
  }

  @Test
  void aTextForANumberIsRefused() {
    refused(
        "java.lang.Integer",
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: a}
        spec: {containers: [{name: b, ports: [{containerPort: "80"}]}]}
        """);
  }

  @Test
  void aKeyThatIsThereTwiceIsRefused() {
    refused("duplicate key", "{apiVersion: v1, kind: ConfigMap, kind: Secret}");
  }

  @Test
  void aSecretIsNoBusinessOfTheChart() {
    refused("no business", "{apiVersion: v1, kind: Secret, metadata: {name: a}}");
  }

  @Test
  void aVersionThatThereIsNotIsRefused() {
    refused("no business", "{apiVersion: policy/v1beta1, kind: PodDisruptionBudget}");
  }

  @Test
  void aFieldThatKedaDoesNotKnowIsRefused() {
    refused(
        "minReplicas",
        """
        apiVersion: keda.sh/v1alpha1
        kind: ScaledObject
        metadata: {name: a}
        spec:
          minReplicas: 1
          scaleTargetRef: {name: a}
          triggers: [{type: external-push, metadata: {scalerAddress: "a:1"}}]
        """);
  }

  @Test
  void aFieldThatThePrometheusOperatorDoesNotKnowIsRefused() {
    refused(
        "endpoints",
        """
        apiVersion: monitoring.coreos.com/v1
        kind: PodMonitor
        metadata: {name: a}
        spec: {selector: {matchLabels: {a: b}}, podMetricsEndpoints: [{port: http}], endpoints: []}
        """);
  }
}
