/** How a version of a model is named and described, wherever it lies. */
package io.bitloom.common.model;
