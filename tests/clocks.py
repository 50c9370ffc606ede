"""Local times in plain Python: places one by one, and the clocks of the IANA's database.

Nothing here follows from the letters of a place: a metro area of the United States that is not listed is an
error of the test that uses it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

_METROS = {
    "America/New_York": """
        Hartford-West Hartford-East Hartford, CT|Bridgeport-Stamford-Norwalk, CT|New Haven-Milford, CT
        Washington-Arlington-Alexandria, DC-VA-MD-WV|Jacksonville, FL|Orlando-Kissimmee-Sanford, FL
        Miami-Fort Lauderdale-West Palm Beach, FL|Tampa-St. Petersburg-Clearwater, FL
        Atlanta-Sandy Springs-Roswell, GA|Augusta-Richmond County, GA-SC|Lexington-Fayette, KY|London, KY
        Worcester, MA-CT|Boston-Cambridge-Newton, MA-NH|Baltimore-Columbia-Towson, MD
        Portland-South Portland, ME|Raleigh, NC|Winston-Salem, NC|Charlotte-Concord-Gastonia, NC-SC
        Albany-Schenectady-Troy, NY|Buffalo-Cheektowaga-Niagara Falls, NY|Rochester, NY
        New York-Newark-Jersey City, NY-NJ-PA|Akron, OH|Cleveland-Elyria, OH|Columbus, OH|Dayton, OH
        Cincinnati, OH-KY-IN|Youngstown-Warren-Boardman, OH-PA|Harrisburg-Carlisle, PA|Pittsburgh, PA
        Philadelphia-Camden-Wilmington, PA-NJ-DE-MD|Providence-Warwick, RI-MA|Columbia, SC
        Myrtle Beach-Conway-North Myrtle Beach, SC-NC|Knoxville, TN|Chattanooga, TN-GA|Richmond, VA
        Virginia Beach-Norfolk-Newport News, VA-NC|Burlington-South Burlington, VT|Parkersburg-Vienna, WV
        """,
    "America/Detroit": """
        Detroit-Warren-Dearborn, MI|Grand Rapids-Wyoming, MI|Lansing-East Lansing, MI|Saginaw, MI
        """,
    "America/Indiana/Indianapolis": "Elkhart-Goshen, IN|Indianapolis-Carmel-Anderson, IN|Plymouth, IN",
    "America/Kentucky/Louisville": "Louisville/Jefferson County, KY-IN",
    "America/Chicago": """
        Birmingham-Hoover, AL|Pensacola-Ferry Pass-Brent, FL|Cedar Rapids, IA|Waterloo-Cedar Falls, IA
        Chicago-Naperville-Elgin, IL-IN-WI|Evansville, IN-KY|Baton Rouge, LA|New Orleans-Metairie, LA
        Duluth, MN-WI|Minneapolis-St. Paul-Bloomington, MN-WI|St. Louis, MO-IL|Kansas City, MO-KS|Fargo, ND-MN
        Omaha-Council Bluffs, NE-IA|Oklahoma City, OK|Tulsa, OK|Memphis, TN-MS-AR
        Nashville-Davidson--Murfreesboro--Franklin, TN|Austin-Round Rock, TX|Dallas-Fort Worth-Arlington, TX
        Houston-The Woodlands-Sugar Land, TX|Longview, TX|Lubbock, TX|Palestine, TX
        San Antonio-New Braunfels, TX|Janesville-Beloit, WI|Madison, WI|Milwaukee-Waukesha-West Allis, WI
        Marinette, WI-MI|La Crosse-Onalaska, WI-MN
        """,
    "America/Menominee": "Iron Mountain, MI-WI",
    "America/Denver": """
        Denver-Aurora-Lakewood, CO|Missoula, MT|Albuquerque, NM|Las Cruces, NM|Santa Fe, NM|Rapid City, SD
        El Paso, TX|Ogden-Clearfield, UT|Salt Lake City, UT
        """,
    "America/Boise": "Boise City, ID|Ontario, OR-ID",
    "America/Phoenix": "Lake Havasu City-Kingman, AZ|Phoenix-Mesa-Scottsdale, AZ|Tucson, AZ",
    "America/Los_Angeles": """
        Eureka-Arcata-Fortuna, CA|Fresno, CA|Los Angeles-Long Beach-Anaheim, CA
        Oxnard-Thousand Oaks-Ventura, CA|Red Bluff, CA|Riverside-San Bernardino-Ontario, CA
        Sacramento--Roseville--Arden-Arcade, CA|Salinas, CA|San Diego-Carlsbad, CA
        San Francisco-Oakland-Hayward, CA|San Jose-Sunnyvale-Santa Clara, CA|Santa Rosa, CA|Yuba City, CA
        Coeur d'Alene, ID|Las Vegas-Henderson-Paradise, NV|Eugene, OR|Klamath Falls, OR
        Portland-Vancouver-Hillsboro, OR-WA|Seattle-Tacoma-Bellevue, WA|Spokane-Spokane Valley, WA
        """,
    "America/Anchorage": "Anchorage, AK",
    "Pacific/Honolulu": "Urban Honolulu, HI",
    "America/Puerto_Rico": "San Juan-Carolina-Caguas, PR",
}
# Nothing that tells a time zone: a city, another country, a state of no metro, something like one.
ELSEWHERE = ("London", "Paris, FR", "Toronto, Canada", "California", "Somewhere, ca", ", ", "")
METROS = {
    place.strip(): ZoneInfo(zone)
    for zone, text in _METROS.items()
    for place in re.split(r"\||\n", text.strip())
}


# The zones that the views name, and those that have had the same clock since 2008.
CLOCKS = {
    "America/New_York": ("America/Detroit", "America/Indiana/Indianapolis", "America/Kentucky/Louisville"),
    "America/Chicago": ("America/Menominee",),
    "America/Denver": ("America/Boise",),
    **dict.fromkeys(("America/Phoenix", "America/Los_Angeles", "America/Anchorage"), ()),
    **dict.fromkeys(("Pacific/Honolulu", "America/Puerto_Rico"), ()),
}


def same_clock(place: str) -> str | None:
    """Return the zone that the views name for a place."""
    zone = _zone_of(place)
    return next((name for name, same in CLOCKS.items() if zone and zone.key in (name, *same)), None)


def clock(moment: datetime, zone: ZoneInfo) -> datetime:
    """Return what clocks show at a moment of UTC, both without a zone."""
    return moment.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)


def local_time(moment: datetime, place: str | None) -> datetime | None:
    """Return what the clocks of a place show at a moment of UTC; None: not known."""
    zone = _zone_of(place)
    return clock(moment, zone) if zone and moment.year >= 2008 else None


def _zone_of(place: str | None) -> ZoneInfo | None:
    if place in METROS:
        return METROS[place]
    assert place is None or not re.search(r", [A-Z]{2}(-[A-Z]{2})*$", place) or place in ELSEWHERE, place
    return None
