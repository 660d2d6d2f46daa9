import OakumModel

extension Engine {
    /// Reads what workers write, and sorts it. A log that cannot be read in time holds up nothing but this.
    func followLogs() async -> Ending? {
        guard let logLines else { return nil }
        for await _ in logRound.stream {
            let sources = services.sorted { $0.key < $1.key }.flatMap { name, service in
                service.watches.sorted { $0.key < $1.key }.map { number, watch in
                    LogSource(worker: WorkerID(service: name, number: number), isAdopted: watch.startedAt == nil)
                }
            }
            let harvest = await logLines.newLines(of: sources)
            await logMining.add(harvest, at: host.now().uptime.seconds)
        }
        return nil
    }
}
