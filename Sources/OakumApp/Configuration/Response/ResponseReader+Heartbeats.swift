import Notify
import OakumModel
import StrictYAML

extension ResponseReader {
    /// - Parameter services: names of all services.
    mutating func heartbeats(_ value: YAMLValue, services: [String]) throws(YAMLProblem) {
        for entry in try value.list(atMost: 200) {
            let mapping = try entry.mapping(
                ["name", "every", "service", "severity"] + Self.secretKeys("id"), as: "a heartbeat")
            let name = try text(try mapping.require("name", hint: "what people call the job, such as nightly backup"))
            let every = try mapping.require("every", hint: "how long it may be silent, such as 26h")
            var job = JobSettings(
                name: name, id: try heartbeatID(mapping, entry), every: try every.seconds(in: 10...31 * 86_400))
            if let service = mapping["service"] { job.service = try known(service, "service", among: services) }
            if let severity = mapping["severity"] { job.severity = try severity.choice() }
            let others = settings.heartbeats
            guard !others.contains(where: { $0.name == job.name && $0.service == job.service }) else {
                throw entry.problem("two heartbeats are called `\(job.name)`")
            }
            guard !others.contains(where: { $0.id == job.id }) else {
                throw entry.problem(
                    "two heartbeats have the same id: nobody could tell the jobs apart", hint: "one file for each")
            }
            settings.heartbeats.append(job)
        }
    }

    /// Whoever knows it can say that the job lives, so it is a secret.
    private mutating func heartbeatID(_ mapping: YAMLMapping, _ entry: YAMLValue) throws(YAMLProblem) -> Secret {
        guard let secret = try secret("id", in: mapping) else {
            throw entry.problem(
                "`id_file` is missing: it ends the job's address",
                hint: "(umask 077; openssl rand -hex 16 > secrets/backup), and `id_file: secrets/backup`")
        }
        let bytes = Array(secret.reveal().utf8)
        let isPlain = bytes.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 95
                || byte == 45
        }
        guard isPlain, (16...128).contains(bytes.count) else {
            throw entry.problem(
                "the id of a heartbeat has 16 to 128 letters, digits, _ and -", hint: "openssl rand -hex 16")
        }
        return secret
    }
}
