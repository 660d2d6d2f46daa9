/// Asks once whether a service answers: for waiting until it does.
package enum HTTPProbe {
    /// The status of `GET path`, nil when there was no complete answer within `timeoutSeconds` for whatever reason.
    package static func status(of path: String, at target: LoadTarget, timeoutSeconds: Double = 2) async -> Int? {
        let plan = LoadPlan(
            seed: 0, targets: [target], connections: ConnectionPolicy(limit: 1),
            streams: [
                LoadStream(
                    request: RequestTemplate(
                        name: "probe", path: TextTemplate(literal: path), expectedStatuses: Set(100...599)),
                    arrivals: .uniform, newConnectionEach: true)
            ],
            steps: [LoadStep(seconds: 0.002, perSecond: [500])], timeoutSeconds: timeoutSeconds)
        do {
            return try await LoadRun(plan).run().statuses.keys.first
        } catch {
            return nil
        }
    }
}
