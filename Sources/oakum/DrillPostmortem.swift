import OakumApp
import OakumRemote
import Postmortem

/// Writes down the incident of a drill's arm while its `oakum` still runs.
struct DrillPostmortem: Sendable {
    let stateFolder: String
    let configuration: String
    let zone: DocumentZone

    /// - Returns: what became of it, a line each.
    func write(_ incident: Int64, to file: String) async throws -> [String] {
        let socket = stateFolder + "/oakum.sock"
        let gathering = PostmortemGathering(
            control: RemoteControlPlane(socketPath: socket), incidents: RemoteIncidentPlane(socketPath: socket),
            now: Clock.now())
        let (source, remarks) = try await gathering.source(of: incident)
        let writing = PostmortemWriting(
            source, configuration: try ConfigurationFile.load(configuration), zone: zone, now: Clock.now(),
            remarks: remarks)
        let outcome = try writing.write(to: file)
        let charts = outcome.charts.map(\.file).joined(separator: ", ")
        return outcome.remarks + ["postmortem: \(outcome.file)\(charts.isEmpty ? "" : ", with \(charts)")"]
    }
}
