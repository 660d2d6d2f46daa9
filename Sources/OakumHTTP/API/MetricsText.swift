import OakumAPI
import OakumModel
import PrometheusText

/// `GET /metrics`: Oakum itself, and what it knows of every worker. A reading that failed is absent, not zero.
enum MetricsText {
    static func write(_ overview: Overview, streams: Int) -> String {
        var writer = PrometheusText.Writer()
        ownMetrics(overview, streams: streams, &writer)
        serviceMetrics(overview.services, &writer)
        workerMetrics(overview.services, &writer)
        return writer.text
    }

    private static func ownMetrics(_ overview: Overview, streams: Int, _ writer: inout PrometheusText.Writer) {
        let oakum = overview.oakum
        writer.family("oakum_build_info", .gauge, help: "Always 1; the version is a label.")
        writer.sample("oakum_build_info", 1, labels: [("version", oakum.version)])
        if let rss = oakum.rss {
            writer.single(
                "process_resident_memory_bytes", .gauge, help: "Resident memory of oakum itself.",
                value: Double(rss.bytes))
        }
        writer.single(
            "process_start_time_seconds", .gauge, help: "Unix time at which oakum started.",
            value: Double(oakum.startedAt.wall.milliseconds) / 1000)
        writer.single(
            "oakum_observe_only", .gauge, help: "1 when verdicts are given but nothing is done.",
            value: oakum.observeOnly ? 1 : 0)
        writer.single(
            "oakum_paused", .gauge, help: "1 while all acts are stopped by hand.", value: oakum.paused ? 1 : 0)
        writer.single(
            "oakum_problems", .gauge, help: "What does not work right now; the console names it.",
            value: Double(oakum.problems.count))
        writer.single("oakum_live_streams", .gauge, help: "Open live streams on this socket.", value: Double(streams))
    }

    private static func serviceMetrics(_ services: [ServiceStatus], _ writer: inout PrometheusText.Writer) {
        func family(
            _ name: String, _ kind: PrometheusText.Writer.Kind, _ help: String, _ value: (ServiceStatus) -> Double
        ) {
            writer.family(name, kind, help: help)
            for service in services {
                writer.sample(name, value(service), labels: [("service", service.name)])
            }
        }
        family("oakum_service_desired_workers", .gauge, "Workers the configuration asks for.") {
            Double($0.desiredWorkers)
        }
        family("oakum_service_serving_workers", .gauge, "Workers that serve.") { service in
            Double(service.workers.count { $0.phase == .serving })
        }
        family("oakum_service_recycles_total", .counter, "Workers replaced since oakum started.") {
            Double($0.recycles)
        }
        family("oakum_worker_budget_bytes", .gauge, "Memory one worker of the service may hold.") {
            Double($0.budget.bytes)
        }
    }

    private static func workerMetrics(_ services: [ServiceStatus], _ writer: inout PrometheusText.Writer) {
        func family(
            _ name: String, _ kind: PrometheusText.Writer.Kind, _ help: String,
            _ samples: (WorkerStatus) -> [(Double?, [(String, String)])]
        ) {
            writer.family(name, kind, help: help)
            for service in services {
                for worker in service.workers {
                    for case (let value?, let labels) in samples(worker) {
                        writer.sample(
                            name, value,
                            labels: [("service", service.name), ("worker", "\(worker.number)")] + labels)
                    }
                }
            }
        }
        family("oakum_worker_resident_bytes", .gauge, "Resident memory of the worker.") {
            [($0.latest.map { Double($0.rss.bytes) }, [])]
        }
        family("oakum_worker_cpu_cores", .gauge, "Cores in use.") { [($0.cpuCores, [])] }
        family("oakum_worker_open_fds", .gauge, "Open file descriptors.") {
            [($0.latest?.fileDescriptors.map(Double.init), [])]
        }
        family("oakum_worker_threads", .gauge, "Threads.") { [($0.latest?.threads.map(Double.init), [])] }
        family("oakum_worker_requests_total", .counter, "Requests answered, as the service itself counts them.") {
            [($0.latest?.requests, [])]
        }
        family("oakum_worker_phase", .gauge, "1 for the phase the worker is in.") {
            [(1, [("phase", $0.phase.rawValue)])]
        }
        family("oakum_worker_verdict", .gauge, "1 for the verdict that holds.") {
            [(1, [("verdict", $0.verdict.code.rawValue)])]
        }
        family("oakum_worker_slope_bytes_per_second", .gauge, "Growth of memory, with its confidence interval.") {
            worker in
            let slope = worker.verdict.slope
            return [
                (slope?.low, [("bound", "low")]), (slope?.estimate, [("bound", "estimate")]),
                (slope?.high, [("bound", "high")]),
            ]
        }
        family("oakum_worker_seconds_to_budget", .gauge, "Seconds until the budget is reached, as an interval.") {
            worker in
            let time = worker.verdict.timeToLimit
            return [(time?.low, [("bound", "low")]), (time?.high, [("bound", "high")])]
        }
    }
}
