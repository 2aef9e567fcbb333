from __future__ import annotations

import polars as pl

from floorwalker.simulation.access_log import GeneratedLog


def of_family(log: GeneratedLog, *names: str) -> pl.DataFrame:
    chosen = log.truth.filter(pl.col("family").is_in(names))
    return log.requests.join(chosen.select("visitor", "family", "skill"), on="visitor", maintain_order="left")


def test_browsers_load_files_and_scripts_do_not(busy: GeneratedLog) -> None:
    is_file = pl.col("target").str.contains(r"^/(img|static)/")
    people = of_family(busy, "browsing_customers").select(is_file.mean()).item()
    assert 0.3 < people < 0.85
    assert of_family(busy, "stuff_credentials").filter(pl.col("skill") == "naive").select(is_file.mean()).item() == 0.0
    assert of_family(busy, "text_browsers", "screen_readers").select(is_file.mean()).item() < 0.01


def test_a_cached_file_is_fetched_once_or_asked_about(busy: GeneratedLog) -> None:
    pages = of_family(busy, "browsing_customers").filter(pl.col("target").str.starts_with("/static/"))
    own = pages.join(busy.truth.filter(pl.col("requests") < 150).select("visitor"), on="visitor")
    per = own.filter(pl.col("status") == 200).group_by("session", "target").len()
    assert (per["len"] == 1).mean() > 0.98
    again = own.filter(pl.col("status") == 304)
    assert len(again) > 0
    assert (again["size"] == 0).all()


def test_sizes_follow_the_target_and_not_the_family(busy: GeneratedLog) -> None:
    answered = busy.requests.filter((pl.col("status") == 200) & (pl.col("method") == "GET"))
    kinds = answered.join(busy.truth.select("visitor", "abusive"), on="visitor").filter(
        pl.col("target").str.starts_with("/p/")
    )
    per = kinds.group_by("target", "abusive").agg(pl.col("size").mean(), pl.len()).filter(pl.col("len") >= 5)
    wide = per.pivot("abusive", index="target", values="size").drop_nulls()
    assert len(wide) > 20
    assert ((wide["true"] / wide["false"]) - 1).abs().max() < 0.06
    files = answered.filter(pl.col("target").str.contains(r"^/(img|static)/"))
    assert files.group_by("target").agg(pl.col("size").n_unique())["size"].max() == 1


def test_referrers_are_the_page_before_or_an_outside_site(busy: GeneratedLog) -> None:
    referrers = busy.requests["referrer"].drop_nulls()
    own = referrers.str.starts_with("https://tiny.example/")
    assert 0.5 < own.mean() < 1.0
    assert referrers.filter(~own).n_unique() <= 5
    files = of_family(busy, "browsing_customers").filter(pl.col("target").str.starts_with("/img/"))
    assert files.drop_nulls("referrer")["referrer"].str.starts_with("https://tiny.example/").all()
    assert of_family(busy, "privacy_browsers")["referrer"].null_count() > 0


def test_statuses_and_methods_fit_the_targets(busy: GeneratedLog) -> None:
    requests = busy.requests
    assert set(requests.filter(pl.col("target") == "/basket/add")["method"]) == {"POST"}
    assert set(requests.filter(pl.col("target") == "/checkout/pay")["method"]) == {"POST"}
    assert (requests.filter(pl.col("target") == "/.env")["status"].is_in([404, 499, 502])).all()
    assert (requests.filter(pl.col("method") == "HEAD")["size"] == 0).all()
    health = requests.filter(pl.col("target") == "/healthz")
    assert (health["status"] == 200).mean() > 0.99
    # The same wrong password looks the same whoever sends it.
    failed = requests.filter((pl.col("target") == "/login/send") & ~pl.col("status").is_in([499, 502]))
    assert failed["status"].n_unique() <= 2


def test_people_keep_their_hours(busy: GeneratedLog) -> None:
    hour = ((pl.col("at") // 3_600_000_000 + 8) % 24).alias("hour")
    people = of_family(busy, "browsing_customers").with_columns(hour)
    night, evening = (
        people.filter(pl.col("hour").is_between(2, 5)).height,
        people.filter(pl.col("hour").is_between(19, 22)).height,
    )
    assert evening > 6 * night
    watchers = of_family(busy, "health_checks").with_columns(hour).group_by("hour").len()
    assert watchers["len"].max() < 1.2 * watchers["len"].min()


def test_skill_hides_the_script(busy: GeneratedLog) -> None:
    watch = of_family(busy, "watch_offers", "poll_stock", "sit_on_deals", "watch_restocks").filter(
        pl.col("target").str.contains("^/(deals|api/stock)")
    )
    gaps = watch.with_columns(pl.col("at").diff().over("visitor").alias("gap")).drop_nulls("gap")
    spread = gaps.group_by("visitor", "skill").agg(
        (pl.col("gap").std() / pl.col("gap").mean()).alias("spread"), pl.len()
    )
    by_skill = dict(spread.filter(pl.col("len") > 30).group_by("skill").agg(pl.col("spread").median()).iter_rows())
    assert by_skill["naive"] < by_skill["skilled"]
    agents = busy.truth.filter(pl.col("family").is_in(watch["family"])).with_columns(
        pl.col("user_agent").str.starts_with("Mozilla/5.0").fill_null(False).alias("browser")
    )
    share = dict(agents.group_by("skill").agg(pl.col("browser").mean()).iter_rows())
    assert share["expert"] == 1.0
    assert share["naive"] < 0.9


def test_swarms_are_many_addresses_with_few_requests(busy: GeneratedLog) -> None:
    swarm = busy.truth.filter(pl.col("family").is_in(["swarm_proxies", "swarm_residential"]))
    assert swarm["requests"].median() <= 3
    assert swarm.group_by("campaign").len()["len"].max() >= 60


def test_the_naive_are_easier_to_tell_than_experts(busy: GeneratedLog) -> None:
    role = {target: page.role for page in busy.site.pages for target in page.targets}
    shown = pl.col("target").replace_strict(role, default="stray").is_in(["asset", "beacon"])
    facts = busy.requests.group_by("visitor").agg(
        (~shown).sum().alias("pages"),
        shown.mean().alias("files"),
        pl.col("referrer").is_null().mean().alias("bare"),
        (pl.col("at") // 3_600_000_000).n_unique().alias("hours"),
    )
    people = facts.join(busy.truth, on="visitor").filter(pl.col("kind") != "machine")
    best = {}
    for skill in ("naive", "expert"):
        both = people.filter((pl.col("kind") == "honest") | (pl.col("skill") == skill))
        is_abusive = both["abusive"].to_numpy()
        ranks = [both[name].rank().to_numpy() for name in ("pages", "files", "bare", "hours")]
        count = is_abusive.sum()
        aucs = [(rank[is_abusive].mean() - (count + 1) / 2) / (~is_abusive).sum() for rank in ranks]
        best[skill] = max(max(auc, 1 - auc) for auc in aucs)
    assert best["naive"] > 0.9, best
    assert best["expert"] < 0.85, best
