"""The sample project: a scripted agent over tools that really run, what people and rules say of its steps."""
