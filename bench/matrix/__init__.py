"""Every situation x language x channel x order state x payment method, decided, written and checked."""
